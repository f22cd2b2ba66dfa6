// SPDX-License-Identifier: MIT
//
// The claims of tools/options.h. Output is caught by letting stdout and stderr point at memory,
// which glibc documents as legal.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/options.h"

// One option of each kind, and what a reading of them left behind.
static struct {
    bool quiet, verbose;
    const char *name;
    uint64_t connections, message_bytes;
    int64_t duration_ns;
} values;

static const struct options_entry entries[] = {
    {.long_name = "quiet", .short_name = 'q', .help = "say nothing", .flag = &values.quiet},
    {.long_name = "verbose", .short_name = 'v', .help = "say much", .flag = &values.verbose},
    {.long_name = "name",
     .argument = "TEXT",
     .help = "a name",
     .initial = "nobody",
     .text = &values.name},
    {.long_name = "connections",
     .short_name = 'c',
     .argument = "N",
     .help = "how many\nat a time",
     .initial = "64",
     .count = &values.connections,
     .minimum = 1,
     .maximum = 20000},
    {.long_name = "message-bytes",
     .short_name = 's',
     .argument = "N",
     .help = "how large",
     .initial = "64",
     .bytes = &values.message_bytes,
     .minimum = 1,
     .maximum = 1 << 20},
    {.long_name = "duration",
     .short_name = 'd',
     .argument = "TIME",
     .help = "how long",
     .initial = "500ms",
     .duration_ns = &values.duration_ns,
     .minimum = 1000000,
     .maximum = 60000000000},
};

static const struct options_program program = {
    .name = "trial",
    .summary = "Try the options.",
    .closing = "That is all.",
    .entries = entries,
    .entry_count = sizeof(entries) / sizeof(entries[0]),
};

static char caught_output[4096];
static char caught_errors[4096];
static int exit_status;

static void copy_text(char *to, size_t size, const char *from)
{
    assert_true(strlen(from) < size);
    strcpy(to, from);
}

// Read a command line given as words, up to a NULL; what was printed is in the two arrays
// afterwards.
static bool parse(const char *first, ...)
{
    char *words[16] = {(char *)(uintptr_t) "trial"};
    int count = 1;
    va_list rest;
    va_start(rest, first);
    for (const char *word = first; word != NULL; word = va_arg(rest, const char *))
        words[count++] = (char *)(uintptr_t)word;
    va_end(rest);

    memset(&values, 0, sizeof(values));
    exit_status = -1;
    FILE *old_output = stdout, *old_errors = stderr;
    char *output, *errors;
    size_t output_bytes, errors_bytes;
    stdout = open_memstream(&output, &output_bytes);
    stderr = open_memstream(&errors, &errors_bytes);
    bool go_on = options_parse(&program, count, words, &exit_status);
    fclose(stdout);
    fclose(stderr);
    stdout = old_output;
    stderr = old_errors;
    copy_text(caught_output, sizeof(caught_output), output);
    copy_text(caught_errors, sizeof(caught_errors), errors);
    free(output);
    free(errors);
    return go_on;
}

static void test_options_stores_the_defaults_of_the_table(void **state)
{
    (void)state;
    assert_true(parse(NULL));
    assert_false(values.quiet);
    assert_string_equal(values.name, "nobody");
    assert_int_equal(values.connections, 64);
    assert_int_equal(values.message_bytes, 64);
    assert_int_equal(values.duration_ns, 500000000);
    assert_string_equal(caught_output, "");
    assert_string_equal(caught_errors, "");
}

static void test_options_understands_every_form_of_an_option(void **state)
{
    (void)state;
    assert_true(parse("--connections", "5", "--name=a=b", "-s16k", "-d", "2s", "-qv", NULL));
    assert_int_equal(values.connections, 5);
    assert_string_equal(values.name, "a=b");
    assert_int_equal(values.message_bytes, 16384);
    assert_int_equal(values.duration_ns, 2000000000);
    assert_true(values.quiet);
    assert_true(values.verbose);

    assert_true(parse("-qc10k", "--name", "--quiet", NULL));
    assert_true(values.quiet);
    assert_int_equal(values.connections, 10000);
    assert_string_equal(values.name, "--quiet");
}

static void test_options_lets_the_last_of_two_values_count(void **state)
{
    (void)state;
    assert_true(parse("-c", "5", "--connections=6", NULL));
    assert_int_equal(values.connections, 6);
}

static void test_options_refuses_with_one_line_and_status_two(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *line;
    } cases[] = {
        {"--nonsense", NULL, "trial: --nonsense: Unknown option, see --help\n"},
        {"--connection", NULL, "trial: --connection: Unknown option, see --help\n"},
        {"-qx", NULL, "trial: -qx: Unknown option, see --help\n"},
        {"file", NULL, "trial: file: Not an option, see --help\n"},
        {"--", NULL, "trial: --: Not an option, see --help\n"},
        {"-", NULL, "trial: -: Not an option, see --help\n"},
        {"--quiet=yes", NULL, "trial: --quiet=yes: Takes no value\n"},
        {"-c", NULL, "trial: --connections: Needs a value\n"},
        {"-c", "many", "trial: --connections many: Not a whole number such as 300, 64k or 2m\n"},
        {"-c", "", "trial: --connections : Not a whole number such as 300, 64k or 2m\n"},
        {"-c", "0", "trial: --connections 0: Must be from 1 to 20000\n"},
        {"-c", "20001", "trial: --connections 20001: Must be from 1 to 20000\n"},
        {"-c", "99999999999999999999",
         "trial: --connections 99999999999999999999: "
         "Must be from 1 to 20000\n"},
        {"-d", "5x", "trial: --duration 5x: Not a duration such as 500ms, 2s or 1.5m\n"},
        {"-d", "2m", "trial: --duration 2m: Must be from 1ms to 60s\n"},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        assert_false(parse(cases[index].first, cases[index].second, NULL));
        assert_int_equal(exit_status, OPTIONS_EXIT_USAGE);
        assert_string_equal(caught_errors, cases[index].line);
        assert_string_equal(caught_output, "");
    }
}

static void test_options_prints_help_from_the_table(void **state)
{
    (void)state;
    assert_false(parse("--quiet", "-h", "--nonsense", NULL));
    assert_int_equal(exit_status, OPTIONS_EXIT_DONE);
    assert_string_equal(caught_errors, "");
    assert_string_equal(caught_output, "usage: trial [options]\n"
                                       "Try the options.\n"
                                       "\n"
                                       "  -q, --quiet            say nothing\n"
                                       "  -v, --verbose          say much\n"
                                       "      --name TEXT        a name (default nobody)\n"
                                       "  -c, --connections N    how many\n"
                                       "                         at a time (default 64)\n"
                                       "  -s, --message-bytes N  how large (default 64)\n"
                                       "  -d, --duration TIME    how long (default 500ms)\n"
                                       "  -h, --help             show this text and end\n"
                                       "      --version          show the version and end\n"
                                       "\n"
                                       "That is all.\n");
}

static void test_options_shows_the_default_in_help_whatever_was_given_before(void **state)
{
    (void)state;
    assert_false(parse("-c", "7", "--help", NULL));
    assert_non_null(strstr(caught_output, "at a time (default 64)"));
}

static void test_options_prints_the_version(void **state)
{
    (void)state;
    assert_false(parse("--version", NULL));
    assert_int_equal(exit_status, OPTIONS_EXIT_DONE);
    assert_string_equal(caught_output, "trial (cede) " OPTIONS_VERSION "\n");
}

static void test_options_reads_numbers_with_suffixes(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_int_equal(options_number("2m", 1000, &value), 0);
    assert_int_equal(value, 2000000);
    assert_int_equal(options_number("3K", 1024, &value), 0);
    assert_int_equal(value, 3072);
    assert_int_equal(options_number("18446744073709551615", 1000, &value), 0);
    assert_true(value == UINT64_MAX);
    value = 1;
    assert_int_equal(options_number("18446744073709551616", 1000, &value), -ERANGE);
    assert_int_equal(options_number("18446744073709551615k", 1000, &value), -ERANGE);
    static const char *const malformed[] = {"",   "k",   "-1", "+1",   " 1",
                                            "1 ", "1kk", "1g", "1.5k", "0x1"};
    for (size_t index = 0; index < sizeof(malformed) / sizeof(malformed[0]); index++)
        assert_int_equal(options_number(malformed[index], 1000, &value), -EINVAL);
    assert_int_equal(value, 1);
}

static void test_options_reads_durations_with_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"3", 3000000000},
        {"3s", 3000000000},
        {"500ms", 500000000},
        {"7us", 7000},
        {"9ns", 9},
        {"1.5m", 90000000000},
        {"0.25h", 900000000000},
        {"0.000000001s", 1},
        {"1.9ns", 1},
        {"0", 0},
        {"9223372036.854775807s", INT64_MAX},
    };
    int64_t ns = 0;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        assert_int_equal(options_duration(cases[index].text, &ns), 0);
        assert_true(ns == cases[index].ns);
    }
    ns = 1;
    static const char *const malformed[] = {"",    "s",  "-1s", "1.s",   ".5s",
                                            "1 s", "1S", "1sm", "1.5.5s"};
    for (size_t index = 0; index < sizeof(malformed) / sizeof(malformed[0]); index++)
        assert_int_equal(options_duration(malformed[index], &ns), -EINVAL);
    assert_int_equal(options_duration("9223372036.854775808s", &ns), -ERANGE);
    assert_int_equal(options_duration("99999999999999999999s", &ns), -ERANGE);
    assert_int_equal(ns, 1);
}

static void test_options_wants_no_colors_where_they_cannot_be_seen(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(options_colors_welcome(file));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stores_the_defaults_of_the_table),
        cmocka_unit_test(test_options_understands_every_form_of_an_option),
        cmocka_unit_test(test_options_lets_the_last_of_two_values_count),
        cmocka_unit_test(test_options_refuses_with_one_line_and_status_two),
        cmocka_unit_test(test_options_prints_help_from_the_table),
        cmocka_unit_test(test_options_shows_the_default_in_help_whatever_was_given_before),
        cmocka_unit_test(test_options_prints_the_version),
        cmocka_unit_test(test_options_reads_numbers_with_suffixes),
        cmocka_unit_test(test_options_reads_durations_with_units),
        cmocka_unit_test(test_options_wants_no_colors_where_they_cannot_be_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
