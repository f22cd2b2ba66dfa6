// SPDX-License-Identifier: MIT
//
// The plots that are marks beside text: intervals, bars, the order of the windows. They are SVG
// with positions in percent, and so fit every width, both colour schemes and paper by themselves.
"use strict";

function swatch(arm) {
    return makeSvg("svg", {class: "swatch", width: "22", height: "10", "aria-hidden": "true"},
        makeSvg("line", {x1: "0", x2: "22", y1: "5", y2: "5", "stroke-dasharray":
            arm.dash.join(" "), style: "stroke:var(" + arm.colour + ")"}));
}

// ---- Forest: an interval for each arm, on a logarithmic axis around 1.

// Round marks, the outer two of which hold every interval between them: differences in percent,
// or, where these are too large for it, factors.
function forestTicks(ratios) {
    const values = ratios.flatMap((ratio) => [ratio.low, ratio.high, ratio.estimate])
        .filter((value) => isKnown(value) && value > 0);
    const holds = (low, high) => values.every((value) => value >= low && value <= high);
    const reach = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5].find((half) => holds(1 - half, 1 + half));
    if (reach)
        return [1 - reach, 1 - reach / 2, 1, 1 + reach / 2, 1 + reach];
    const factor = [2, 4, 10, 30, 100].find((most) => holds(1 / most, most)) || 1000;
    return [1 / factor, 1 / Math.sqrt(factor), 1, Math.sqrt(factor), factor];
}

function tickName(ratio, isFactor) {
    if (isFactor)
        return ratio < 1 ? "\u00f7" + Math.round(1 / ratio) : "\u00d7" + Math.round(ratio);
    return difference(ratio).replace(".0", "");
}

function forestTrack(ratio, toPercent, ticks, verdict) {
    const track = makeSvg("svg", {class: "track", "aria-hidden": "true", height: "34"});
    for (const tick of ticks)
        track.append(makeSvg("line", {class: tick === 1 ? "one" : "grid", x1: toPercent(tick),
            x2: toPercent(tick), y1: "0", y2: "34"}));
    if (ratio === null)
        return track;
    const low = toPercent(ratio.low > 0 ? ratio.low : 1e-9);
    const high = toPercent(isKnown(ratio.high) ? ratio.high : 1e9);
    track.append(makeSvg("line", {class: "interval " + verdict, x1: low, x2: high, y1: "17",
        y2: "17"}));
    track.append(makeSvg("circle", {class: "estimate " + verdict, cx: toPercent(ratio.estimate),
        cy: "17", r: "4.5"}));
    return track;
}

// Less of the costs is better, more of the rates is.
function verdictOf(ratio, isLessBetter) {
    if (!differs(ratio))
        return "same";
    return (ratio.estimate < 1) === isLessBetter ? "better" : "worse";
}

function differs(ratio) {
    return isKnown(ratio.low) && isKnown(ratio.high) && (ratio.low > 1 || ratio.high < 1);
}

const VERDICTS = {
    better: {less: "less", more: "more"},
    worse: {less: "more", more: "less"},
};

function forest(arms, member, isLessBetter) {
    const compared = arms.filter((arm) => arm.isRanked && arm.summary[member]);
    const ticks = forestTicks(compared.map((arm) => arm.summary[member]));
    const scale = -Math.log(ticks[0]);
    const toPercent = (ratio) =>
        Math.min(Math.max(50 + 45 * Math.log(ratio) / scale, 0.5), 99.5).toFixed(2) + "%";
    const rows = compared.map((arm) => {
        const ratio = arm.summary[member];
        const verdict = verdictOf(ratio, isLessBetter);
        return make("div", {class: "forest-row", role: "listitem"},
            make("span", {class: "name"}, arm.name),
            forestTrack(ratio, toPercent, ticks, verdict),
            make("span", {class: "value"},
                differs(ratio) ? difference(ratio.estimate) : "no difference seen",
                make("small", null, " " + interval(ratio))));
    });
    const labels = [ticks[0], 1, ticks[4]].map((tick) => make("span",
        {style: "left:" + toPercent(tick)},
        tick === 1 ? "0\u00a0%" : tickName(tick, ticks[4] >= 2)));
    const axis = make("div", {class: "forest-row axis", "aria-hidden": "true"},
        make("span", {class: "name"}), make("span", {class: "ticks"}, labels));
    return make("div", {class: "forest", role: "list"}, rows, axis);
}

// ---- Bars: one for each arm, of one or more parts.

// `parts(arm)` gives [{value, style, label}]; `text(arm)` what stands at the end.
function bars(arms, parts, text) {
    const total = (arm) => parts(arm).reduce((sum, part) => sum + part.value, 0);
    const largest = Math.max(...arms.map(total), 0) || 1;
    return make("div", {class: "bars", role: "list"}, arms.map((arm) => {
        const svg = makeSvg("svg", {class: "track", height: "18", "aria-hidden": "true"});
        let at = 0;
        for (const part of parts(arm)) {
            const width = 100 * part.value / largest;
            svg.append(makeSvg("rect", {class: part.style, x: at.toFixed(3) + "%", y: "4",
                width: width.toFixed(3) + "%", height: "10"}));
            at += width;
        }
        return make("div", {class: "bars-row", role: "listitem"},
            make("span", {class: "name"}, arm.name), svg,
            make("span", {class: "value"}, text(arm)));
    }));
}

// ---- The order: a column for each block, its places from top to bottom, a colour for each arm.

function cells(windows, at, style) {
    const path = windows.map((window) => at(window)).join("");
    return path ? makeSvg("path", {d: path, ...style}) : null;
}

function orderStrip(arms, windows, blockCount) {
    const places = Math.max(...windows.map((window) => window.place)) + 1;
    const cell = (window) => "M" + (window.block + 0.08) + " " + (window.place + 0.1) +
        "h.84v.8h-.84z";
    const hole = (window) => "M" + (window.block + 0.24) + " " + (window.place + 0.3) +
        "h.52v.4h-.52z";
    const svg = makeSvg("svg", {class: "order", viewBox: "0 0 " + blockCount + " " + places,
        preserveAspectRatio: "none", style: "height:" + 10 * places + "px",
        role: "img", "aria-label": "In each block every server has one place in the order; " +
            windows.filter((window) => !window.valid).length + " windows are invalid."});
    for (const arm of arms)
        svg.append(...[cells(windows.filter((window) => window.arm === arm.index), cell,
            {style: "fill:var(" + arm.colour + ")"})].filter(Boolean));
    svg.append(...[cells(windows.filter((window) => !window.valid), hole,
        {class: "hole"})].filter(Boolean));
    return svg;
}

// How much of each block's time others took from the machine: a bar a block.
function stealStrip(windows, blockCount) {
    const stolen = Array(blockCount).fill(0), elapsed = Array(blockCount).fill(0);
    for (const window of windows) {
        stolen[window.block] += window.steal_ns || 0;
        elapsed[window.block] += window.elapsed_ns;
    }
    const shares = stolen.map((ns, block) => elapsed[block] > 0 ? ns / elapsed[block] : 0);
    const largest = Math.max(...shares);
    const path = shares.map((share, block) => share > 0 ? "M" + (block + 0.08) + " 1h.84v" +
        (-share / largest).toFixed(3) + "h-.84z" : "").join("");
    const svg = makeSvg("svg", {class: "steal", viewBox: "0 0 " + blockCount + " 1",
        preserveAspectRatio: "none", role: "img",
        "aria-label": "Processor time taken by others, at most " + percent(largest) +
            " of a block."}, makeSvg("path", {d: path}));
    return {svg, largest};
}
