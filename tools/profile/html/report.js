// SPDX-License-Identifier: MIT
//
// The page, section by section, in the order in which one asks: what was found, how sure it is,
// what it costs, what disturbed it, how to repeat it, what it does not tell.
"use strict";

function section(id, title, note, ...content) {
    return make("section", {"aria-labelledby": id}, make("h2", {id}, title),
        note ? make("p", {class: "note"}, note) : null, content);
}

// ---- What was found.

function intro(result) {
    const {headline, sub} = verdictWords(result);
    const environment = result.environment || {}, plan = result.plan || {};
    const where = [isKnown(environment.processors) ? environment.processors + " processors" : null,
        [environment.system, environment.kernel].filter(Boolean).join(" "),
        (environment.date || "").replace(/T(\d+:\d+).*Z$/, " $1 UTC")]
        .filter(Boolean).join(" \u00b7 ");
    return make("header", null, make("p", {class: "eyebrow"}, planWords(plan)),
        make("h1", null, headline), make("p", {class: "lead"}, sub),
        make("p", {class: "meta"}, blockWords(plan) + " \u00b7 " + where));
}

// What is in no ranking, and why.
function exceptions(result) {
    const items = result.arms.flatMap((arm) => {
        if (arm.failure)
            return [make("li", null, make("strong", null, arm.name), " is left out: " +
                arm.failure)];
        if (arm.isTimed && !arm.isRanked)
            return [make("li", null, make("strong", null, arm.name), " is not ranked: " +
                (arm.reasons.join("; ") || "its measurement is not valid"))];
        return [];
    });
    const {load_average: load, processors} = result.environment || {};
    if (isKnown(load) && isKnown(processors) && load >= processors)
        items.push(make("li", null, "The machine was busy with other things when this began: " +
            "load average " + number(load, 2) + "."));
    return items.length === 0 ? null : make("aside", {class: "warning", "aria-label": "Exceptions"},
        make("ul", null, items));
}

function summaryTable(result, hasRanking) {
    if (!result.arms.some((arm) => arm.isTimed))
        return null;
    const columns = ["server", "operations/s", "p50", "p99", "CPU per operation", "user", "kernel"];
    const rows = result.arms.filter((arm) => arm.isTimed).map((arm) => {
        const cpu = arm.summary.median_cpu_ns_per_operation, user = arm.summary.user_share;
        const ratio = arm.summary.cpu_ratio;
        const compared = arm.isReference ? "reference" : !arm.isRanked ? "not ranked" : ratio ?
            [differs(ratio) ? difference(ratio.estimate) : "no difference seen",
                make("small", null, interval(ratio))] : DASH;
        return [[swatch(arm), arm.name, arm.version && arm.version !== arm.name ?
            make("small", {class: "version"}, arm.version) : null],
        whole(arm.summary.median_operations_per_second), time(percentileOf(arm, 2)),
        time(percentileOf(arm, 100)), time(cpu),
        isKnown(user) ? time(cpu * user) : DASH, isKnown(user) ? time(cpu * (1 - user)) : DASH,
        ...hasRanking ? [compared] : []];
    });
    const headings = [...columns, ...hasRanking ? ["CPU against " + result.reference] : []];
    return make("section", {"aria-label": "Summary"},
        table("Medians of the windows; percentiles over all windows", headings, rows));
}

function ratioSection(result) {
    const reference = result.reference;
    const refusal = whyNoRanking(result);
    if (result.arms.filter((arm) => arm.isTimed).length < 2)
        return null;
    if (refusal)
        return section("ratios", "Ratios", null, make("p", {class: "refusal"}, refusal));
    const panels = [["cpu_ratio", "Processor time per operation", true, "less is better"],
        ["rate_ratio", "Operations a second", false, "more is better"]].map(
        ([member, title, isLessBetter, hint]) => make("figure", null,
            make("figcaption", null, title, make("small", null, " " + hint)),
            forest(result.arms, member, isLessBetter)));
    const rows = byCost(result).map((arm) => [arm.name, ...["cpu_ratio", "rate_ratio"].flatMap(
        (member) => ["estimate", "low", "high"].map((part) =>
            number((arm.summary[member] || {})[part], 4)))]);
    return section("ratios", "Ratios to " + reference, NOTES.ratios,
        make("div", {class: "panels"}, panels), details("Ratios to " + reference,
            ["server", "CPU", "low", "high", "operations/s", "low", "high"], rows));
}

// ---- Latency.

function latencyTable(arms, member) {
    const has = (arm, oneIn) => percentileOf({latency: arm[member]}, oneIn);
    const columns = NAMED_PERCENTILES.filter((oneIn) => arms.some((arm) =>
        isKnown(has(arm, oneIn))));
    const caption = (member === "service" ? "Service time" : "Latency") + " by percentile";
    return details(caption, ["server", ...columns.map(percentileName), "most"],
        arms.map((arm) => [arm.name, ...columns.map((oneIn) => time(has(arm, oneIn))),
            time(arm[member].maximum_ns)]));
}

function latencySection(result) {
    const arms = result.arms.filter((arm) => arm.isTimed && arm.latency);
    if (arms.length === 0)
        return null;
    const hasBand = arms.some((arm) => arm.latency.percentiles.some((row) => isKnown(row[2])));
    const served = arms.filter((arm) => arm.service);
    const note = (result.plan.loop === "open" ? NOTES.openLoop : NOTES.closedLoop) +
        (hasBand ? " " + NOTES.band : "");
    return section("latency", "Latency by percentile", note, latencyChart(arms, "latency"),
        latencyTable(arms, "latency"), served.length > 0 ? [make("h3", null, "Service time"),
            make("p", {class: "note"}, NOTES.service), latencyChart(served, "service"),
            latencyTable(served, "service")] : null);
}

function curveSection(result) {
    const points = (result.curve || []).filter((point) => isKnown(point.achieved_per_s));
    if (points.length === 0)
        return null;
    const load = (point) => isKnown(point.rate) ? point.rate : point.connections;
    const pointsOf = (arm) => points.filter((point) => point.arm === arm.name &&
        isKnown(point.p99_ns)).sort((a, b) => load(a) - load(b));
    const arms = result.arms.filter((arm) => pointsOf(arm).length > 0);
    const slo = result.plan.slo_ns;
    const knees = new Map(arms.map((arm) => [arm.index, kneeOf(pointsOf(arm), slo)]));
    const asked = (point) => isKnown(point.rate) ? whole(point.rate) + "/s" :
        whole(point.connections) + " connections";
    const rows = points.map((point) => [point.arm, asked(point), whole(point.achieved_per_s),
        time(point.p50_ns), time(point.p99_ns), time(point.p999_ns),
        time(point.cpu_ns_per_operation), point.valid === false ? "no" : "yes"]);
    return section("curve", "Latency and throughput", NOTES.curve +
        (slo ? roundTime(slo) : "three times that of the lightest load") + ".",
    curveChart(arms, pointsOf, knees), details("Latency and throughput", ["server", "asked for",
        "operations/s", "p50", "p99", "p99.9", "CPU per operation", "valid"], rows));
}

// ---- Costs.

function cpuSection(result) {
    const arms = result.arms.filter((arm) => arm.isTimed &&
        isKnown(arm.summary.median_cpu_ns_per_operation));
    if (arms.length === 0)
        return null;
    const parts = (arm) => {
        const cpu = arm.summary.median_cpu_ns_per_operation, user = arm.summary.user_share;
        return isKnown(user) ? [{value: cpu * user, style: "user"},
            {value: cpu * (1 - user), style: "kernel"}] : [{value: cpu, style: "whole"}];
    };
    const key = make("p", {class: "key", "aria-hidden": "true"},
        [["user", "user"], ["kernel", "kernel"], ["whole", "not divided"]].filter(([style]) =>
            arms.some((arm) => parts(arm).some((part) => part.style === style)))
            .map(([style, name]) => make("span", null, make("i", {class: style}), name)));
    const rows = arms.map((arm) => [arm.name, time(arm.summary.median_cpu_ns_per_operation),
        ...parts(arm).length === 2 ? parts(arm).map((part) => time(part.value)) : [DASH, DASH]]);
    return section("cpu", "Processor time per operation", NOTES.cpu,
        make("figure", null, key, bars(arms, parts, (arm) =>
            time(arm.summary.median_cpu_ns_per_operation))),
        details("Processor time per operation", ["server", "together", "user", "kernel"], rows));
}

const COSTS = [["System calls per operation", "syscalls_per_operation", number],
    ["Events per wait", "events_per_wait", number],
    ["Context switches per operation", "context_switches_per_operation", number],
    ["Instructions per operation", "instructions_per_operation", whole],
    ["Memory", "rss_bytes", bytes],
    ["Memory per idle connection", "idle_bytes_per_connection", bytes],
    ["Threads", "threads", whole], ["Kernel workers", "kernel_workers", whole]];

function costSection(result) {
    const arms = result.arms.filter((arm) => arm.isTimed);
    const measured = COSTS.filter(([, member]) => arms.some((arm) => isKnown(arm[member])));
    if (arms.length === 0)
        return null;
    if (measured.length === 0)
        return section("costs", "System calls and other costs", null, make("p", {class: "refusal"},
            "Not counted in this run."));
    const drawn = measured.filter(([, member]) => member !== "threads" &&
        member !== "kernel_workers");
    const panels = drawn.map(([title, member, text]) => make("figure", null,
        make("figcaption", null, title), bars(arms, (arm) => isKnown(arm[member]) ?
            [{value: arm[member], style: "whole"}] : [], (arm) => text(arm[member]))));
    return section("costs", "System calls and other costs", NOTES.costs,
        make("div", {class: "panels"}, panels),
        details("Costs", ["server", ...measured.map(([title]) => title)], arms.map((arm) =>
            [arm.name, ...measured.map(([, member, text]) => text(arm[member]))])));
}

// ---- All of it.

function draw(result) {
    const hasRanking = whyNoRanking(result) === null;
    document.title = verdictWords(result).headline + " \u2013 Profile";
    const page = document.getElementById("page");
    page.replaceChildren(intro(result), ...[exceptions(result),
        summaryTable(result, hasRanking), ratioSection(result), latencySection(result),
        curveSection(result), cpuSection(result), costSection(result), blockSection(result),
        gateSection(result), environmentSection(result), reproduceSection(result),
        scopeSection(result)].filter(Boolean));
    drawCharts();
}

// An error says so on the page, where a reader sees it and a test finds it.
addEventListener("error", (event) => {
    document.getElementById("page").append(make("p", {class: "refusal", "data-error": true,
        role: "alert"}, "This page could not be drawn: " + event.message));
});

draw(readDocument());
