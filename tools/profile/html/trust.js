// SPDX-License-Identifier: MIT
//
// The sections that say how far the others are to be believed: blocks, gates, the machine, the
// command, the scope.
"use strict";

// The rows of `blocks` as objects.
function windowsOf(result) {
    const {columns = [], rows = []} = result.blocks || {};
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
}

function blockSection(result) {
    const windows = windowsOf(result);
    const arms = result.arms.filter((arm) => windows.some((window) => window.arm === arm.index));
    if (arms.length === 0)
        return null;
    const blockCount = Math.max(...windows.map((window) => window.block)) + 1;
    const invalid = windows.filter((window) => !window.valid);
    const hasSteal = windows.some((window) => isKnown(window.steal_ns));
    const steal = hasSteal ? stealStrip(windows, blockCount) : null;
    const strips = [make("p", {class: "strip-title"}, "Order of the servers in each block"),
        orderStrip(arms, windows, blockCount)];
    if (steal)
        strips.push(make("p", {class: "strip-title"}, "Taken by others, at most " +
            percent(steal.largest) + " of a block's time"), steal.largest > 0 ? steal.svg : null);
    const all = whole(windows.length);
    return section("blocks", "Blocks", NOTES.blocks + (invalid.length > 0 ? whole(invalid.length) +
        " of " + all + " windows are invalid: they are kept in the result file, and left out of " +
        "every statement." : "All " + all + " windows are valid."),
    timelineChart(arms, windows, blockCount), make("div", {class: "strips"}, strips),
    blockTable(result, arms, windows));
}

// One row for each server, and one for each window that is invalid.
function blockTable(result, arms, windows) {
    const rows = arms.map((arm) => {
        const own = windows.filter((window) => window.arm === arm.index);
        const sum = (member) => own.reduce((total, window) => total + (window[member] || 0), 0);
        return [arm.name, whole(own.length), whole(own.filter((window) => !window.valid).length),
            whole(sum("operations")), own.some((window) => isKnown(window.steal_ns)) ?
                time(sum("steal_ns")) : DASH];
    });
    const causes = windows.filter((window) => !window.valid).map((window) =>
        ["block " + (window.block + 1), result.arms[window.arm].name, window.invalid || DASH]);
    return make("details", null, make("summary", null, "Numbers"), table("Windows", ["server",
        "windows", "invalid", "operations", "taken by others"], rows), causes.length > 0 ?
        table("Invalid windows", ["block", "server", "reason"], causes) : null);
}

function verdict(isGood, text) {
    return make("span", {class: isGood ? "passed" : "failed"},
        (isGood ? "\u2713 " : "\u2717 ") + text);
}

// A server that works while it is asked nothing disturbs the others.
const REST_LIMIT = 0.02;

function restVerdict(arm) {
    if (!isKnown(arm.rest_ns) || !isKnown(arm.rest_cpu_ns) || arm.rest_ns === 0)
        return DASH;
    const share = arm.rest_cpu_ns / arm.rest_ns;
    return verdict(share <= REST_LIMIT, share < 0.0005 ? "silent" : percent(share) + " busy");
}

function gateSection(result) {
    const rows = result.arms.map((arm) => [arm.name,
        arm.failure ? verdict(false, arm.failure) : verdict(true, "every byte"),
        !arm.isTimed ? DASH : arm.isRanked ? verdict(true, "valid") :
            verdict(false, arm.reasons.join("; ") || "not valid"),
        isKnown(arm.headroom) ? number(arm.headroom, 2) + "\u00d7" : DASH,
        arm.limited_by || DASH, restVerdict(arm)]);
    const operations = result.arms.reduce((sum, arm) => sum + (arm.summary.operations || 0), 0);
    const replied = result.arms.reduce((sum, arm) => sum + (arm.summary.reply_bytes || 0), 0);
    return section("gates", "Gates", "Every server must first be correct, and every reply is " +
        "compared byte for byte: " + whole(operations) + " operations, " + whole(replied) +
        " bytes. Headroom is what the client could ask for, over what it was asked for.",
    table("What each server had to pass", ["server", "correct", "measurement", "headroom",
        "limited by", "at rest"], rows));
}

function terms(pairs) {
    return make("dl", null, pairs.map(([term, text]) =>
        make("div", null, make("dt", null, term), make("dd", null, text || DASH))));
}

function environmentSection(result) {
    const machine = result.environment || {}, plan = result.plan || {};
    const cpu = (value) => value === -1 || !isKnown(value) ? "any" : String(value);
    return section("environment", "Environment", null, terms([
        ["date", machine.date],
        ["processor", machine.cpu_model],
        ["processors", isKnown(machine.processors) ? String(machine.processors) : null],
        ["system", [machine.system, machine.kernel, machine.machine].filter(Boolean).join(" ")],
        ["virtualisation", machine.virtualisation],
        ["load at the start", number(machine.load_average, 2)],
        ["clock", machine.clock_source],
        ["descriptor limit", whole(machine.descriptor_limit)],
        ["somaxconn", whole(machine.somaxconn)],
        ["compiler", machine.compiler],
        ["pinning", plan.pin || "server on processor " + cpu(plan.server_cpu) +
            ", client on processor " + cpu(plan.client_cpu)],
        ["client", plan.polling === true ? "polls" : plan.polling === false ? "sleeps" : null],
        ["window, warm-up", roundTime(plan.window_ns) + ", " + roundTime(plan.warmup_ns)],
        ["profiler", [result.version, machine.git].filter(Boolean).join(", ")]]),
    make("details", null, make("summary", null, "Servers"), table("Servers", ["server", "version",
        "backend", "program"], result.arms.map((arm) => [arm.name, arm.version || DASH,
        arm.backend || DASH, arm.program || arm.command || DASH]))));
}

function reproduceSection(result) {
    return section("reproduce", "How to reproduce", NOTES.reproduce,
        make("pre", {tabindex: "0", role: "group", "aria-label": "Command"},
            make("code", null, commandWords(result))));
}

function scopeSection(result) {
    const resolutions = byCost(result).filter((arm) => !differs(arm.summary.cpu_ratio) &&
        resolution(arm.summary.cpu_ratio)).map((arm) => arm.name + " and " + result.reference +
        " may differ by less than " + resolution(arm.summary.cpu_ratio));
    const items = [NOTES.scope, result.plan.loop === "open" ? null : NOTES.closedLoop, NOTES.layout,
        resolutions.length > 0 ? "What is called no difference is one that could not be seen: " +
            list(resolutions) + "." : null,
        NOTES.twenty];
    return section("scope", "What this cannot tell", null,
        make("ul", {class: "scope"}, items.filter(Boolean).map((text) => make("li", null, text))));
}
