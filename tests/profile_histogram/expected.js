// SPDX-License-Identifier: MIT
//
// Prints what another histogram says of the values that oracle_test.c records: percentiles by
// hdr-histogram-js with three significant digits, the one that others read such figures with. Its
// output is expected.txt. Again, in a folder outside of this tree:
//
//     npm install hdr-histogram-js@3.0.1
//     NODE_PATH=node_modules node .../tests/profile_histogram/expected.js > .../expected.txt
//
// The values come from whole numbers only, so that C and this language make the same ones.
"use strict";

const hdr = require("hdr-histogram-js");
const {version} = require("hdr-histogram-js/package.json");

const VALUES = 100000;
const SEEDS = [1, 2, 3];
const PERCENTILES = [0.01, 1, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 99.999, 100];

// The generator mulberry32: 32 random bits.
function generator(seed) {
    let state = seed | 0;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let bits = Math.imul(state ^ (state >>> 15), 1 | state);
        bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
        return (bits ^ (bits >>> 14)) >>> 0;
    };
}

function divide(dividend, divisor) {
    return (dividend - dividend % divisor) / divisor;
}

// Each takes 32-bit random numbers from `next` and gives a value in nanoseconds.
const DISTRIBUTIONS = {
    small: (next) => next() % 2000,
    uniform: (next) => next() % 1000000000,
    // Every magnitude below 2^37 equally often.
    magnitudes: (next) => Math.floor(next() * 2 ** (next() % 37 - 31)),
    // One of n values is above n times 50 us, up to 2^36.
    tail: (next) => Math.min(divide(50000 * 2 ** 32, next() + 1), 2 ** 36),
    // Sums of four are bell-shaped; one value of ten waits for a timer of 40 ms.
    modes: (next) => 60000 + (next() % 20000) + (next() % 20000) + (next() % 20000) +
        (next() % 20000) + (next() % 10 === 0 ? 40000000 : 0),
    // One value of fifty falls into a stall of 200 ms.
    stall: (next) => next() % 50 === 0 ? next() % 200000000 : 20000 + next() % 5000,
    constant: () => 123456789,
};

console.log("# hdr-histogram-js " + version + ", " + VALUES + " values");
console.log("# distribution, seed, percentile, value");
for (const [name, draw] of Object.entries(DISTRIBUTIONS)) {
    for (const seed of SEEDS) {
        const next = generator(seed);
        const histogram = hdr.build({bitBucketSize: 64, autoResize: false,
            lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 37 - 1,
            numberOfSignificantValueDigits: 3});
        for (let count = 0; count < VALUES; count++)
            histogram.recordValue(draw(next));
        for (const percentile of PERCENTILES)
            console.log([name, seed, percentile,
                histogram.getValueAtPercentile(percentile)].join(" "));
    }
}
