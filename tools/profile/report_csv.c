// SPDX-License-Identifier: MIT
//
// Rows for spreadsheets. An unknown value is an empty field.

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "tools/profile/report.h"

static void write_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void write_count(FILE *stream, int64_t value)
{
    fputc(',', stream);
    if (value != RESULT_UNKNOWN)
        fprintf(stream, "%" PRId64, value);
}

static void write_fraction(FILE *stream, double value)
{
    fputc(',', stream);
    if (!isnan(value))
        fprintf(stream, "%.9g", value);
}

static void write_window(FILE *stream, const struct result *result, size_t block, size_t index)
{
    const struct result_window *window = result_window_at(result, block, index);
    const int64_t values[] = {
        window->place,
        window->start_ns,
        window->elapsed_ns,
        window->operation_count,
        window->reply_bytes,
        window->cpu_ns,
        window->user_ns,
        window->kernel_ns,
        window->client_cpu_ns,
        window->client_work_ns,
        window->busy_ns,
        window->service_ns,
        window->steal_ns,
        window->lag_p50_ns,
        window->lag_p99_ns,
        window->unsent_count,
        window->voluntary_switches,
        window->involuntary_switches,
        window->p50_ns,
        window->p99_ns,
        window->maximum_ns,
    };
    fprintf(stream, "%zu,", block);
    write_text(stream, result->arms[index].name);
    for (size_t value = 0; value < sizeof(values) / sizeof(values[0]); value++)
        write_count(stream, values[value]);
    fprintf(stream, ",%d,", window->is_valid);
    write_text(stream, window->invalid);
    fputs("\r\n", stream);
}

static void write_windows(const struct result *result, FILE *stream)
{
    fputs("block,arm,place,start_ns,elapsed_ns,operations,reply_bytes,cpu_ns,user_ns,kernel_ns,"
          "client_cpu_ns,client_work_ns,busy_ns,service_ns,steal_ns,lag_p50_ns,lag_p99_ns,unsent,"
          "voluntary_switches,involuntary_switches,p50_ns,p99_ns,maximum_ns,valid,invalid\r\n",
          stream);
    for (size_t block = 0; block < result->block_count; block++) {
        for (size_t index = 0; index < result->arm_count; index++) {
            if (result_window_at(result, block, index)->is_complete)
                write_window(stream, result, block, index);
        }
    }
}

static void write_curve(const struct result *result, FILE *stream)
{
    fputs("arm,rate,connections,achieved_per_s,p50_ns,p99_ns,p999_ns,cpu_ns_per_operation,valid"
          "\r\n",
          stream);
    for (size_t index = 0; index < result->curve_count; index++) {
        const struct result_point *point = &result->curve[index];
        write_text(stream, result->arms[point->arm].name);
        write_fraction(stream, point->rate);
        write_count(stream, point->connections);
        write_fraction(stream, point->achieved_per_s);
        write_count(stream, point->p50_ns);
        write_count(stream, point->p99_ns);
        write_count(stream, point->p999_ns);
        write_fraction(stream, point->cpu_ns_per_operation);
        fprintf(stream, ",%d\r\n", point->is_valid);
    }
}

int report_write_csv(const struct result *result, FILE *stream)
{
    if (result->curve_count > 0)
        write_curve(result, stream);
    else
        write_windows(result, stream);
    return fflush(stream) == 0 && !ferror(stream) ? 0 : -EIO;
}
