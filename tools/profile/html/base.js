// SPDX-License-Identifier: MIT
//
// What the other scripts share: elements, numbers as text, the document and its arms. Text from the
// document only ever becomes a text node, so that a name cannot become markup.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

// An element: attributes by name (null and false leave one out), then children and texts.
function make(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
        if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(Infinity).filter((child) =>
        child !== null && child !== undefined));
    return element;
}

const DASH = "\u2013"; // stands for what is not known
const MINUS = "\u2212";

function isKnown(value) {
    return typeof value === "number" && Number.isFinite(value);
}

// A number with so many significant digits, never in exponential form.
function number(value, digits = 3) {
    if (!isKnown(value))
        return DASH;
    if (value === 0)
        return "0";
    const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
    const shown = Math.min(Math.max(decimals, 0), Math.max(digits, 3));
    return value.toLocaleString("en", {minimumFractionDigits: shown,
        maximumFractionDigits: shown}).replace("-", MINUS);
}

function whole(value) {
    return isKnown(value) ? Math.round(value).toLocaleString("en") : DASH;
}

// Nanoseconds in the unit that suits them.
function time(ns) {
    if (!isKnown(ns))
        return DASH;
    for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["\u00b5s", 1e3]]) {
        if (ns >= size)
            return number(ns / size) + "\u00a0" + unit;
    }
    return whole(ns) + "\u00a0ns";
}

// The same for round numbers: 10 ms, not 10.0 ms.
function roundTime(ns) {
    return time(ns).replace(/\.0+(?=\u00a0)|(\.\d*[1-9])0+(?=\u00a0)/, "$1");
}

function bytes(count) {
    if (!isKnown(count))
        return DASH;
    for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
        if (count >= size)
            return number(count / size) + "\u00a0" + unit;
    }
    return whole(count) + "\u00a0B";
}

function percent(share, digits = 1) {
    return isKnown(share) ? (100 * share).toFixed(digits) + "\u00a0%" : DASH;
}

// A ratio as a difference: 0.937 is -6.3 %.
function difference(ratio) {
    if (!isKnown(ratio))
        return DASH;
    const size = Math.abs(100 * (ratio - 1)).toFixed(1);
    const sign = size === "0.0" ? "" : ratio < 1 ? MINUS : "+";
    return sign + size + "\u00a0%";
}

function interval(ratio) {
    const high = isKnown(ratio.high) ? difference(ratio.high) : "\u221e";
    return "[" + difference(ratio.low) + ", " + high + "]";
}

// Colours of the arms, from report.css; the reference has the colour of the text.
const COLOURS = 6;
const DASHES = [[], [6, 4], [2, 3], [9, 3, 2, 3]];

// The document, with arms as the page wants them: what is absent is null, percentiles by name.
function readDocument() {
    const result = JSON.parse(document.getElementById("result").textContent);
    let coloured = 0;
    result.arms = (result.arms || []).map((arm, index) => {
        const isReference = arm.name === result.reference;
        const place = isReference ? -1 : coloured++;
        return {
            ...arm, index, isReference,
            isTimed: !arm.failure && !!arm.summary,
            isRanked: !arm.failure && !!arm.summary && arm.valid !== false,
            summary: arm.summary || {},
            reasons: arm.invalid_reasons || [],
            colour: isReference ? "--arm-reference" : "--arm-" + (place % COLOURS),
            dash: isReference ? [] : DASHES[Math.floor(place / COLOURS) % DASHES.length],
        };
    });
    return result;
}

// The percentile beyond which lies one of so many operations, or null.
function percentileOf(arm, oneIn) {
    const rows = arm.latency && arm.latency.percentiles || [];
    const row = rows.find((candidate) => Math.abs(candidate[0] - oneIn) < 1e-6);
    return row ? row[1] : null;
}

function colourOf(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// A table: `columns` are headings, the first column names its row.
function table(caption, columns, rows) {
    const head = columns.map((name) => make("th", {scope: "col"}, name));
    const body = rows.map((row) => make("tr", null, row.map((cell, at) =>
        at === 0 ? make("th", {scope: "row"}, cell) : make("td", null, cell))));
    const element = make("table", null, make("caption", null, caption),
        make("thead", null, make("tr", null, head)), make("tbody", null, body));
    // A wide table scrolls by itself, also by keyboard.
    return make("div", {class: "scroll", tabindex: "0", role: "region",
        "aria-label": caption + ", table"}, element);
}

function details(caption, columns, rows) {
    return make("details", null, make("summary", null, "Numbers"), table(caption, columns, rows));
}
