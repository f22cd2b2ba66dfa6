// SPDX-License-Identifier: MIT
//
// Makes of a result what the page needs of it, which is a tenth of the bytes: percentiles in the
// place of histograms, and windows as rows of a table with few columns. html.c calls it.
//
//     arms[].latency, arms[].service   null, or {"maximum_ns", "operations",
//                                      "percentiles": [[one_in, ns, low_ns, high_ns], ...]}:
//                                      one of `one_in` operations takes longer than `ns`
//     blocks                           {"columns": [name, ...], "rows": [[value, ...], ...]}; the
//                                      value of `arm` is an index of `arms`
//
// All other members stay as they are.

#ifndef CEDE_TOOLS_PROFILE_HTML_DIGEST_H
#define CEDE_TOOLS_PROFILE_HTML_DIGEST_H

#include <jansson.h>

// Change the result into its digest. What is not as the schema says is taken for unknown.
// 0; or -ENOMEM, and the document is good for nothing but to be freed.
int digest_make(json_t *document);

#endif
