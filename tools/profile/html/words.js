// SPDX-License-Identifier: MIT
//
// The sentences: what was found and how sure it is, what was run, what cannot be told.
"use strict";

function list(names) {
    return names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " +
        names[names.length - 1];
}

// "6.3 % less", of a ratio.
function amount(ratio) {
    return Math.abs(100 * (ratio - 1)).toFixed(1) + "\u00a0% " + (ratio < 1 ? "less" : "more");
}

// "5.3 to 7.1 % less": the smaller amount first.
function amounts(ratio) {
    const sizes = [ratio.low, ratio.high].map((value) => Math.abs(100 * (value - 1)));
    sizes.sort((a, b) => a - b);
    return sizes[0].toFixed(1) + " to " + sizes[1].toFixed(1) + "\u00a0% " +
        (ratio.estimate < 1 ? "less" : "more");
}

// The smallest difference that would have been seen, or at least the largest one for which the
// interval leaves room.
function resolution(ratio) {
    if (isKnown(ratio.detectable))
        return percent(ratio.detectable - 1);
    return isKnown(ratio.high) ? percent(Math.max(ratio.high - 1, 1 - ratio.low)) : null;
}

const WORK = "processor time per operation";

// An interval that reaches into that of the first is no certain distance from it.
function overlaps(one, other) {
    return !(one.high < other.low || other.high < one.low);
}

// The arms that are compared with the reference, the cheapest first.
function byCost(result) {
    return result.arms.filter((arm) => arm.isRanked && arm.summary.cpu_ratio)
        .sort((a, b) => a.summary.cpu_ratio.estimate - b.summary.cpu_ratio.estimate);
}

// Why nothing is ranked, or null.
function whyNoRanking(result) {
    const timed = result.arms.filter((arm) => arm.isTimed);
    const reference = result.arms.find((arm) => arm.isReference);
    if (timed.length === 0)
        return "No server could be measured.";
    if (timed.length === 1)
        return "One server was measured: there is nothing to compare it with.";
    if (!reference || !reference.isRanked)
        return "The measurement of " + (reference ? reference.name : "the reference") +
            ", with which the others are compared, is not valid.";
    if (byCost(result).length === 0)
        return "No measurement beside that of " + reference.name + " is valid.";
    return null;
}

// The highest rate that an arm kept up with below the wanted p99, or null.
function capacityOf(points, sloNs) {
    const kept = points.filter((point) => point.valid !== false && point.p99_ns > 0 &&
        point.p99_ns <= sloNs && point.achieved_per_s >= 0.98 * point.rate);
    return kept.length > 0 ? Math.max(...kept.map((point) => point.achieved_per_s)) : null;
}

// The same for points instead of blocks. They have no intervals, hence no ranking.
function curveWords(result) {
    const points = result.curve, slo = result.plan.slo_ns;
    const names = [...new Set(points.map((point) => point.arm))];
    const invalid = points.filter((point) => point.valid === false).length;
    const doubt = invalid > 0 ?
        " " + invalid + " of " + points.length + " points are invalid." : "";
    if (!slo)
        return {headline: "Latency and throughput of " + list(names) + ".",
            sub: "Points have no intervals, so this ranks nothing." + doubt};
    return {headline: "Highest rates with a p99 below " + roundTime(slo) + ".",
        sub: names.map((name) => {
            const most = capacityOf(points.filter((point) => point.arm === name), slo);
            return name + ": " + (isKnown(most) ? whole(most) + "/s" : "none found");
        }).join(", ") + "." + doubt};
}

// {headline, sub}: the answer in one sentence, and what belongs to it.
function verdictWords(result) {
    if ((result.curve || []).length > 0 && !result.arms.some((arm) => arm.isTimed))
        return curveWords(result);
    const refusal = whyNoRanking(result);
    const timed = result.arms.filter((arm) => arm.isRanked);
    if (refusal && timed.length === 1)
        return {headline: timed[0].name + " needs " +
            time(timed[0].summary.median_cpu_ns_per_operation) + " of " + WORK + ".", sub: refusal};
    if (refusal)
        return {headline: "No ranking.", sub: refusal};
    const reference = result.reference;
    const ranked = byCost(result), first = ranked[0], ratio = first.summary.cpu_ratio;
    const second = ranked[1];
    if (!differs(ratio)) {
        const limit = resolution(ratio);
        return {headline: "No difference seen between " + first.name + " and " + reference +
            " in " + WORK + ".", sub: limit ? "One of " + limit + " or more would have been seen."
            : "There are too few blocks to see any."};
    }
    if (ratio.estimate > 1)
        return {headline: reference + " needs the least " + WORK + ".",
            sub: "Next is " + first.name + " with " + amount(ratio.estimate) +
                " (95\u00a0% interval: " + amounts(ratio) + ")."};
    const isClear = !second || !overlaps(ratio, second.summary.cpu_ratio);
    return {headline: first.name + " needs " + amount(ratio.estimate) + " " + WORK + " than " +
        reference + ".", sub: "95\u00a0% interval: " + amounts(ratio) + ". " + (isClear ?
        "It is the least of all " + (ranked.length + 1) + " servers." :
        "It is not told apart from " + list(ranked.slice(1).filter((arm) =>
            overlaps(ratio, arm.summary.cpu_ratio)).map((arm) => arm.name)) + ".")};
}

// What was run, as the first line of the text report says it.
function planWords(plan) {
    const rate = plan.rate > 0 ? " at " + whole(plan.rate) + "/s" : "";
    const words = [plan.workload,
        isKnown(plan.message_bytes) ? whole(plan.message_bytes) + " bytes" : null,
        isKnown(plan.connections) ? whole(plan.connections) + " connections" : null,
        plan.depth > 1 ? plan.depth + " under way on each" : null,
        plan.unix ? "unix sockets" : null,
        plan.loop === "open" ? "open loop" + rate : "closed loop",
        plan.arrivals && plan.loop === "open" ? plan.arrivals + " arrivals" : null];
    return words.filter(Boolean).join(", ");
}

function blockWords(plan) {
    const blocks = plan.blocks_done > 0 ? whole(plan.blocks_done) + " of " +
        whole(plan.blocks_planned) + " blocks, " : "";
    return blocks + "windows of " + roundTime(plan.window_ns);
}

function quote(word) {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";
}

// The command that runs the same plan: as it was called, with the seed.
function commandWords(result) {
    const words = (result.command_line || []).slice(1).map(quote);
    const hasSeed = words.some((word) => word === "--seed" || word.startsWith("--seed="));
    const seed = !hasSeed && isKnown(result.seed) ? ["--seed", String(result.seed)] : [];
    return ["bazel run -c opt //tools:profile --", ...words, ...seed].join(" ");
}

// What stands under the headings.
const NOTES = {
    ratios: "The estimate is the median over blocks of the ratio within a block, the line its " +
        "95\u00a0% interval. Where the interval crosses the line of the reference, no difference " +
        "was seen.",
    closedLoop: "The loop is closed: a connection sends its next message when the last reply is " +
        "complete. A server that stalls is asked less meanwhile, so the percentiles compare " +
        "servers under the same load, and promise nothing to users who come by the clock.",
    openLoop: "The loop is open: messages have planned times, and latency counts from the " +
        "planned time, so a stall is seen by everything that it delays.",
    band: "The bands hold the percentile with 95\u00a0% confidence, from a bootstrap over blocks.",
    service: "From when a message was really sent: what latency would be if nobody had had to " +
        "wait for his turn.",
    curve: "p99 over the operations a second that were done. Only valid points are joined. A " +
        "ring marks the knee: the highest load at which the p99 is not yet above ",
    cpu: "Of the server, all its threads. On loopback, what the kernel does to deliver a message " +
        "is charged to its sender.",
    costs: "Few system calls and many events per wait are how a server saves processor time. A " +
        "dash stands for what was not counted.",
    blocks: "Each block holds one window of each server, shortly after each other, in a balanced " +
        "order. ",
    reproduce: "The seed decides the order of the windows and every random number; the machine " +
        "decides the rest.",
    scope: "Loopback on one machine measures the software cost of an operation. It says nothing " +
        "about network cards, and little about latency between machines. Another machine, " +
        "another kernel or another load may give another order.",
    layout: "The blocks of a run share the memory layout which the servers got at their start: " +
        "believe a difference of a percent or two when several runs show it.",
    twenty: "Of twenty intervals of equal servers, one does not hold 1.",
};
