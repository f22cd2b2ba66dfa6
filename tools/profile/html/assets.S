// SPDX-License-Identifier: MIT
//
// The files of which the page is made (assets.h). The paths are those of the tree: the compiler
// runs in its root.

#define ASSET(name, path)          \
    .global assets_##name;         \
    assets_##name: .incbin path;   \
    .global assets_##name##_end;   \
    assets_##name##_end: .byte 0

    .section .rodata

ASSET(template, "tools/profile/html/template.html")
ASSET(report_css, "tools/profile/html/report.css")
ASSET(base_js, "tools/profile/html/base.js")
ASSET(marks_js, "tools/profile/html/marks.js")
ASSET(lines_js, "tools/profile/html/lines.js")
ASSET(words_js, "tools/profile/html/words.js")
ASSET(trust_js, "tools/profile/html/trust.js")
ASSET(report_js, "tools/profile/html/report.js")
ASSET(uplot_js, "third_party/uplot/uPlot.iife.min.js")
ASSET(uplot_css, "third_party/uplot/uPlot.min.css")
ASSET(uplot_licence, "third_party/uplot/LICENSE")

    .section .note.GNU-stack, "", %progbits
