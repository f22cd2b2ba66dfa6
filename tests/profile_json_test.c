// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/json.h, to the byte.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tools/profile/json.h"

static char *text;
static size_t text_bytes;
static struct json json;

static void open_document(void)
{
    json = (struct json){.stream = open_memstream(&text, &text_bytes)};
    assert_non_null(json.stream);
}

static void assert_document(const char *wanted)
{
    fclose(json.stream);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_json_writes_one_member_a_line_and_deep_ones_on_one_line(void **state)
{
    (void)state;
    open_document();
    json_begin(&json, NULL, '{');
    json_text(&json, "schema", "trial/1");
    json_begin(&json, "empty", '[');
    json_end(&json, ']');
    json_begin(&json, "blocks", '[');
    for (int block = 0; block < 2; block++) {
        json_begin(&json, NULL, '[');
        json_begin(&json, NULL, '{');
        json_whole(&json, "place", block);
        json_number(&json, "rate", 0.5);
        json_end(&json, '}');
        json_end(&json, ']');
    }
    json_end(&json, ']');
    json_end(&json, '}');
    assert_document("{\n"
                    "  \"schema\": \"trial/1\",\n"
                    "  \"empty\": [],\n"
                    "  \"blocks\": [\n"
                    "    [\n"
                    "      {\"place\": 0, \"rate\": 0.5}\n"
                    "    ],\n"
                    "    [\n"
                    "      {\"place\": 1, \"rate\": 0.5}\n"
                    "    ]\n"
                    "  ]\n"
                    "}\n");
}

static void test_json_escapes_what_must_be_escaped_and_nothing_else(void **state)
{
    (void)state;
    open_document();
    json_text(&json, NULL, "a\"b\\c/d\n\x01\x1f \xc3\xa9");
    assert_document("\"a\\\"b\\\\c/d\\u000a\\u0001\\u001f \xc3\xa9\"");
}

static void test_json_writes_null_for_what_is_not_there(void **state)
{
    (void)state;
    open_document();
    json_begin(&json, NULL, '[');
    json_text(&json, NULL, NULL);
    json_number(&json, NULL, NAN);
    json_number(&json, NULL, INFINITY);
    json_end(&json, ']');
    assert_document("[\n  null,\n  null,\n  null\n]\n");
}

static void test_json_keeps_integers_exact(void **state)
{
    (void)state;
    open_document();
    json_begin(&json, NULL, '[');
    json_whole(&json, NULL, INT64_MIN);
    json_whole(&json, NULL, INT64_MAX);
    json_end(&json, ']');
    assert_document("[\n  -9223372036854775808,\n  9223372036854775807\n]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_writes_one_member_a_line_and_deep_ones_on_one_line),
        cmocka_unit_test(test_json_escapes_what_must_be_escaped_and_nothing_else),
        cmocka_unit_test(test_json_writes_null_for_what_is_not_there),
        cmocka_unit_test(test_json_keeps_integers_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
