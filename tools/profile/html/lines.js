// SPDX-License-Identifier: MIT
//
// The plots that are lines and points over an axis, by uPlot: latency by percentile, latency by
// throughput, and the windows in the order of their blocks. A canvas knows no style sheet, so each
// plot is made anew when the width or the colours change, and for paper.
"use strict";

const AXIS_LEFT = 62; // also in report.css, for what stands below the windows
const FONT = "12px system-ui, sans-serif";

// ---- What all of them have.

// Round numbers in this range: powers of ten if these are enough, else some between them, too.
function logTicks(minimum, maximum) {
    const inside = (steps) => {
        const ticks = [];
        for (let decade = 10 ** Math.floor(Math.log10(minimum)); decade <= maximum; decade *= 10)
            ticks.push(...steps.map((step) => step * decade));
        return ticks.filter((tick) => tick >= minimum * 1.03 && tick <= maximum);
    };
    const choices = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]].map(inside);
    return choices.find((ticks) => ticks.length >= 4) || choices[2];
}

// An axis whose marks and texts are given; `splits(min, max)`.
function axis(side, splits, text) {
    const common = {stroke: colourOf("--soft"), font: FONT, gap: 4, ticks: {show: false},
        grid: {stroke: colourOf("--rule"), width: 1}};
    const own = side === "left" ? {side: 3, size: AXIS_LEFT} : {side: 2, size: 28};
    return {...common, ...own, filter: (plot, values) => values,
        splits: splits ? (plot, at, min, max) => splits(min, max) : undefined,
        values: text ? (plot, values) => values.map(text) : undefined};
}

function logScale(padding) {
    return {distr: 3, range: (plot, min, max) => [min / padding, max * padding]};
}

// Buttons that name the arms, hide and show them, and hold their values under the pointer.
class Legend {
    constructor(arms, onChange) {
        this.hidden = new Set();
        this.values = new Map();
        const chips = arms.map((arm) => {
            const value = make("span", {class: "chip-value"});
            const chip = make("button", {type: "button", class: "chip", "aria-pressed": "true"},
                swatch(arm), arm.name, value);
            this.values.set(arm.index, value);
            chip.addEventListener("click", () => {
                const isShown = !this.hidden.delete(arm.index);
                if (isShown)
                    this.hidden.add(arm.index);
                chip.setAttribute("aria-pressed", String(!isShown));
                onChange();
            });
            return chip;
        });
        this.place = make("span", {class: "chip-place"});
        this.element = make("div", {class: "legend"}, chips, this.place);
    }

    // `texts` by index of the arm; null clears.
    show(place, texts) {
        this.place.textContent = place;
        for (const [index, element] of this.values)
            element.textContent = texts && texts.get(index) ? texts.get(index) : "";
    }
}

const charts = [];

// To be called once they are in the page and have a width, and when the colours have changed.
function drawCharts() {
    charts.forEach(({draw, box}) => draw(box.clientWidth));
}

// A figure with a plot in it. `build(isHidden)` gives uPlot's options without a size, and its data;
// `read(at)` gives what the legend shows at this index of the data: [place, texts].
function chart(name, arms, height, label, build, read) {
    const box = make("div", {class: "plot", role: "img", "aria-label": label, "data-plot": name,
        style: "height:" + height + "px"});
    let plot = null;
    const legend = new Legend(arms, () => draw(box.clientWidth));
    const draw = (width) => {
        if (width <= 0)
            return;
        const {options, data} = build((arm) => legend.hidden.has(arm.index));
        const showValues = (drawn) => {
            const at = drawn.cursor.idx;
            legend.show(...(isKnown(at) ? read(at) : ["", null]));
        };
        if (plot)
            plot.destroy();
        plot = new uPlot({width, height, legend: {show: false}, padding: [8, 24, 0, 0],
            hooks: {setCursor: [showValues], ...options.hooks}, ...options.base,
            cursor: {y: false, points: {show: false}, drag: {x: false, y: false}}}, data, box);
    };
    charts.push({draw, box});
    // Not at once: what is observed must not change while it is observed.
    new ResizeObserver(() => requestAnimationFrame(() => {
        if (plot && plot.width !== box.clientWidth)
            draw(box.clientWidth);
    })).observe(box);
    return make("figure", null, legend.element, box);
}

// Paper is white, whatever the screen is, and the style sheet makes this width fit.
const PAPER_WIDTH = 900;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    charts.forEach(({draw}) => draw(PAPER_WIDTH));
});
addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    drawCharts();
});

// ---- Latency by percentile.

// 2 is p50, 10 is p90, 1000 is p99.9.
function percentileName(oneIn) {
    if (oneIn <= 1)
        return "least";
    const decimals = Math.max(Math.ceil(Math.log10(oneIn) - 2 - 1e-9), 0);
    return "p" + (100 - 100 / oneIn).toFixed(Math.min(decimals, 6));
}

const NAMED_PERCENTILES = [2, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7];

function latencySeries(arm, isHidden) {
    const shown = !isHidden(arm);
    const edge = {show: shown, stroke: "transparent", width: 0, points: {show: false}, scale: "y"};
    return [{label: arm.name, show: shown, stroke: colourOf(arm.colour), width: 1.75, scale: "y",
        dash: arm.dash, points: {show: false}}, edge, edge];
}

function latencyChart(arms, member) {
    const rows = (arm) => arm[member].percentiles;
    const oneIn = arms.map((arm) => rows(arm).map((row) => row[0]))
        .reduce((longest, list) => list.length > longest.length ? list : longest, []);
    const column = (arm, at) => oneIn.map((unused, index) => (rows(arm)[index] || [])[at] ?? null);
    const data = [oneIn, ...arms.flatMap((arm) => [1, 2, 3].map((at) => column(arm, at)))];
    const build = (isHidden) => ({data, options: {base: {
        scales: {x: {time: false, distr: 3, range: (plot, min, max) => [min, max]},
            y: logScale(1.12)},
        axes: [axis("bottom", (min, max) => NAMED_PERCENTILES.filter((at) => at <= max),
            percentileName), axis("left", logTicks, roundTime)],
        series: [{}, ...arms.flatMap((arm) => latencySeries(arm, isHidden))],
        bands: arms.map((arm, at) => ({series: [3 * at + 3, 3 * at + 2],
            fill: colourOf(arm.colour) + (arms.length > 4 ? "1c" : "2e")})),
    }}});
    const read = (at) => [percentileName(oneIn[at]), new Map(arms.map((arm) =>
        [arm.index, (rows(arm)[at] || [])[1] ? time(rows(arm)[at][1]) : ""]))];
    return chart(member, arms, 320, "Latency by percentile, a line for each server; the " +
        "numbers are in the table below.", build, read);
}

// ---- Latency by throughput.

// The highest load before the p99 is above the wanted one, or above three times that of the
// lightest load.
function kneeOf(points, sloNs) {
    const known = points.filter((point) => point.valid !== false && isKnown(point.p99_ns) &&
        isKnown(point.achieved_per_s));
    if (known.length < 3 && !sloNs)
        return null;
    const lightest = known.reduce((least, point) =>
        !least || point.achieved_per_s < least.achieved_per_s ? point : least, null);
    const limit = sloNs || (lightest ? 3 * lightest.p99_ns : 0);
    return known.filter((point) => point.p99_ns <= limit).reduce((best, point) =>
        !best || point.achieved_per_s > best.achieved_per_s ? point : best, null);
}

// The valid points of an arm in the order of their load, which need not be that of their
// throughput.
function pathInOrder(points) {
    return (plot) => {
        const stroke = new Path2D();
        for (const point of points.filter((candidate) => candidate.valid !== false))
            stroke.lineTo(plot.valToPos(point.achieved_per_s, "x", true),
                plot.valToPos(point.p99_ns, "y", true));
        return {stroke};
    };
}

function drawKnees(arms, knees, isHidden) {
    return (plot) => {
        const {ctx} = plot, ratio = devicePixelRatio;
        ctx.save();
        for (const arm of arms) {
            const knee = knees.get(arm.index);
            if (!knee || isHidden(arm))
                continue;
            ctx.beginPath();
            ctx.lineWidth = 1.5 * ratio;
            ctx.strokeStyle = colourOf(arm.colour);
            ctx.arc(plot.valToPos(knee.achieved_per_s, "x", true),
                plot.valToPos(knee.p99_ns, "y", true), 8 * ratio, 0, 2 * Math.PI);
            ctx.stroke();
        }
        ctx.restore();
    };
}

function curveChart(arms, pointsOf, knees) {
    const all = arms.flatMap((arm) => pointsOf(arm));
    const x = [...new Set(all.map((point) => point.achieved_per_s))].sort((a, b) => a - b);
    const column = (arm) => x.map((at) => {
        const point = pointsOf(arm).find((candidate) => candidate.achieved_per_s === at);
        return point ? point.p99_ns : null;
    });
    const build = (isHidden) => ({data: [x, ...arms.map(column)], options: {
        hooks: {draw: [drawKnees(arms, knees, isHidden)]},
        base: {
            scales: {x: {time: false, range: (plot, min, max) => [0, max * 1.04]},
                y: logScale(1.25)},
            axes: [{...axis("bottom", null, (at) => whole(at) + "/s"), space: 90},
                axis("left", logTicks, roundTime)],
            series: [{}, ...arms.map((arm) => ({label: arm.name, show: !isHidden(arm),
                stroke: colourOf(arm.colour), width: 1.75, dash: arm.dash, scale: "y",
                paths: pathInOrder(pointsOf(arm)),
                points: {show: true, size: 6, width: 1.5, fill: colourOf("--paper")}}))],
        }}});
    const read = (at) => [whole(x[at]) + "/s", new Map(arms.map((arm) =>
        [arm.index, isKnown(column(arm)[at]) ? time(column(arm)[at]) : ""]))];
    return chart("curve", arms, 320, "p99 latency over throughput, a line for each server; a " +
        "ring marks the knee. The numbers are in the table below.", build, read);
}

// ---- The windows in the order of their blocks.

function timelineChart(arms, windows, blockCount) {
    const cost = (window) => window.operations > 0 ? window.cpu_ns / window.operations : null;
    const column = (arm, isValid) => {
        const values = Array(blockCount).fill(null);
        for (const window of windows) {
            if (window.arm === arm.index && window.valid === isValid)
                values[window.block] = cost(window);
        }
        return values;
    };
    const points = (arm, isHidden, isValid) => ({label: arm.name, show: !isHidden(arm), scale: "y",
        stroke: colourOf(arm.colour), width: 0, paths: () => null, points: {show: true,
            size: isValid ? 4 : 8, width: isValid ? 0 : 1.25, stroke: colourOf(arm.colour),
            fill: isValid ? colourOf(arm.colour) + "b0" : "transparent"}});
    const x = Array.from({length: blockCount}, (unused, block) => block + 0.5);
    const data = [x, ...arms.flatMap((arm) => [column(arm, true), column(arm, false)])];
    const build = (isHidden) => ({data, options: {base: {
        scales: {x: {time: false, range: [0, blockCount]}, y: logScale(1.1)},
        axes: [{...axis("bottom", null, null), show: false, size: 0},
            axis("left", logTicks, roundTime)],
        series: [{}, ...arms.flatMap((arm) => [points(arm, isHidden, true),
            points(arm, isHidden, false)])],
    }}});
    const read = (at) => ["block " + (at + 1), new Map(arms.map((arm, index) =>
        [arm.index, time(data[2 * index + 1][at] ?? data[2 * index + 2][at])]))];
    return chart("timeline", arms, 200, "Processor time per operation in each window, a point " +
        "for each; invalid windows are rings.", build, read);
}
