// SPDX-License-Identifier: MIT
//
// Shows a result to a human: what was run, tables of the arms, their ratios, what limited them, and
// what was left out and why. It computes nothing (summary.h does). What it prints depends on the
// result alone, so that a file that is read shows what the run that wrote it showed.

#ifndef CEDE_TOOLS_PROFILE_REPORT_H
#define CEDE_TOOLS_PROFILE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/profile/result.h"
#include "tools/profile/statistics.h"

enum { REPORT_CELL_BYTES = 64, REPORT_RATIO_WIDTH = 47 };

// Print the report. With `colors`, differences are green where the arm is better than the reference
// and red where it is worse. 0 or -ENOMEM.
int report_print(const struct result *result, bool colors, FILE *stream);

// Print one ratio with its interval, two blanks before it and padded to `width`.
// `is_better_below` says on which side of 1 the better ratios are.
void report_print_ratio(const struct statistics_ratio *ratio, bool is_better_below, int width,
                        bool colors, FILE *stream);

// Print the points of a sweep or of the search for a capacity.
void report_print_curve(const struct result *result, FILE *stream);

// Print what stands below the tables: limits, what was left out, and gates that failed.
void report_print_notes(const struct result *result, FILE *stream);

// 1234567 as "1,234,567".
const char *report_grouped(uint64_t value, char text[REPORT_CELL_BYTES]);

// Nanoseconds as microseconds with this many digits behind the point, or "-" for NAN.
const char *report_microseconds(double ns, int digits, char text[REPORT_CELL_BYTES]);

// Write a row for each window, or for each point if it is a curve, with a line of names above them,
// as RFC 4180 has it. 0 or -EIO.
int report_write_csv(const struct result *result, FILE *stream);

#endif
