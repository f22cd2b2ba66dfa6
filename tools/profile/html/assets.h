// SPDX-License-Identifier: MIT
//
// The files of which the page is made, as bytes in the program. assets.S puts them there; html.c
// reads them.

#ifndef CEDE_TOOLS_PROFILE_HTML_ASSETS_H
#define CEDE_TOOLS_PROFILE_HTML_ASSETS_H

// Each file lies from its first byte to where the bytes of the next one, or the end, begin.
#define ASSETS_DECLARE(name) extern const char assets_##name[], assets_##name##_end[]

ASSETS_DECLARE(template);
ASSETS_DECLARE(report_css);
ASSETS_DECLARE(base_js);
ASSETS_DECLARE(marks_js);
ASSETS_DECLARE(lines_js);
ASSETS_DECLARE(words_js);
ASSETS_DECLARE(trust_js);
ASSETS_DECLARE(report_js);
ASSETS_DECLARE(uplot_js);
ASSETS_DECLARE(uplot_css);
ASSETS_DECLARE(uplot_licence);

#endif
