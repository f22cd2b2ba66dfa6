// SPDX-License-Identifier: MIT
//
// The claims of net/address.h, and those of net/listener.h about addresses.

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/address.h"
#include "net/listener.h"

static struct cede_address parse(const char *host, uint16_t port)
{
    struct cede_address address;
    assert_int_equal(cede_address_parse(host, port, &address), 0);
    return address;
}

static void assert_formatted(const struct cede_address *address, const char *expected)
{
    char text[CEDE_ADDRESS_TEXT_BYTES];
    cede_address_format(address, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_address_reads_ipv4(void **state)
{
    struct cede_address address = parse("127.0.0.1", 9000);
    (void)state;
    assert_int_equal(address.as.any.sa_family, AF_INET);
    assert_int_equal(address.bytes, sizeof(struct sockaddr_in));
    assert_int_equal(ntohl(address.as.ipv4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(cede_address_port(&address), 9000);
    assert_formatted(&address, "127.0.0.1:9000");
}

static void test_address_reads_ipv6_with_and_without_brackets(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct cede_address address = parse(i ? "[2001:db8::1]" : "2001:db8::1", 443);
        assert_int_equal(address.as.any.sa_family, AF_INET6);
        assert_int_equal(address.bytes, sizeof(struct sockaddr_in6));
        assert_int_equal(cede_address_port(&address), 443);
        assert_formatted(&address, "[2001:db8::1]:443");
    }
}

static void test_address_reads_unix_paths(void **state)
{
    struct cede_address address = parse("unix:/run/echo", 9000);
    (void)state;
    assert_int_equal(address.as.any.sa_family, AF_UNIX);
    assert_string_equal(address.as.unix_path.sun_path, "/run/echo");
    assert_int_equal(address.bytes, offsetof(struct sockaddr_un, sun_path) + 10);
    assert_int_equal(cede_address_port(&address), 0);
    assert_formatted(&address, "unix:/run/echo");
}

static void test_address_reads_abstract_names(void **state)
{
    struct cede_address address = parse("unix:@echo", 0);
    (void)state;
    assert_memory_equal(address.as.unix_path.sun_path, "\0echo", 5);
    assert_int_equal(address.bytes, offsetof(struct sockaddr_un, sun_path) + 5);
    assert_formatted(&address, "unix:@echo");
}

static void test_address_refuses_what_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "localhost",
        "127.0.0",
        "127.0.0.1:80",
        "256.0.0.1",
        "[127.0.0.1]",
        "0x7f.1",
        "1.2.3.4 ",
        "[::1",
        "::1]",
        "[]",
        "[",
        "::1%lo",
        "2001:db8::g",
        "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21",
        "unix",
        "unix:",
    };
    struct cede_address address;
    struct cede_address untouched;
    (void)state;
    memset(&address, 0x55, sizeof address);
    untouched = address;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(cede_address_parse(texts[i], 1, &address), -EINVAL);
    assert_memory_equal(&address, &untouched, sizeof address);
}

static void test_address_takes_the_longest_path_and_no_longer_one(void **state)
{
    struct cede_address address;
    size_t most = sizeof address.as.unix_path.sun_path - 1;
    char text[256] = "unix:";
    char formatted[CEDE_ADDRESS_TEXT_BYTES];
    (void)state;
    memset(text + 5, 'p', most);
    assert_int_equal(cede_address_parse(text, 0, &address), 0);
    cede_address_format(&address, formatted, sizeof formatted);
    assert_string_equal(formatted, text);
    text[5 + most] = 'p';
    assert_int_equal(cede_address_parse(text, 0, &address), -ENAMETOOLONG);
}

static void test_address_text_is_cut_off_with_a_zero(void **state)
{
    struct cede_address address = parse("127.0.0.1", 9000);
    char text[] = "12345678";
    (void)state;
    cede_address_format(&address, text, 6);
    assert_string_equal(text, "127.0");
    assert_int_equal(text[6], '7');
}

static void test_address_without_a_name_says_so(void **state)
{
    struct cede_address address = {.bytes = sizeof(sa_family_t)};
    (void)state;
    address.as.any.sa_family = AF_UNIX;
    assert_formatted(&address, "unix:(unnamed)");
    address.as.any.sa_family = AF_PACKET;
    assert_formatted(&address, "(family 17)");
}

// --- Listeners ----------------------------------------------------------------------------------

static void test_address_of_a_listener_names_the_port_that_was_picked(void **state)
{
    struct cede_address address;
    (void)state;
    int fd = cede_listen("127.0.0.1", 0);
    assert_return_code(fd, -fd);
    assert_int_equal(cede_listen_address(fd, &address), 0);
    assert_int_not_equal(cede_address_port(&address), 0);
    assert_int_equal(cede_listen("127.0.0.1", cede_address_port(&address)), -EADDRINUSE);
    assert_int_equal(close(fd), 0);
}

static void test_address_that_cannot_be_read_makes_no_listener(void **state)
{
    (void)state;
    assert_int_equal(cede_listen("localhost", 80), -EINVAL);
}

static void test_address_in_the_abstract_can_be_in_use(void **state)
{
    char name[64];
    (void)state;
    snprintf(name, sizeof name, "unix:@cede-address-test-%d", (int)getpid());
    struct cede_address address = parse(name, 0);
    // Bound, but nobody listens: connecting to it is refused, and yet it is not to be had.
    int holder = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(holder, &address.as.any, address.bytes), 0);
    assert_int_equal(cede_listen_at(&address, NULL), -EADDRINUSE);
    assert_int_equal(close(holder), 0);
    int fd = cede_listen_at(&address, NULL);
    assert_return_code(fd, -fd);
    assert_int_equal(close(fd), 0);
}

static void test_address_of_a_server_that_is_gone_is_taken_over(void **state)
{
    char folder[] = "/tmp/address_test.XXXXXX";
    char name[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "unix:%s/socket", folder);
    int first = cede_listen(name, 0);
    assert_return_code(first, -first);
    assert_int_equal(cede_listen(name, 0), -EADDRINUSE);
    assert_int_equal(close(first), 0);
    int second = cede_listen(name, 0);
    assert_return_code(second, -second);
    assert_int_equal(close(second), 0);
    assert_int_equal(unlink(name + 5), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_address_of_a_plain_file_is_left_alone(void **state)
{
    char file[] = "/tmp/address_test.XXXXXX";
    char name[64];
    struct stat status;
    (void)state;
    int fd = mkstemp(file);
    assert_return_code(fd, errno);
    snprintf(name, sizeof name, "unix:%s", file);
    assert_int_equal(cede_listen(name, 0), -EADDRINUSE);
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_reads_ipv4),
        cmocka_unit_test(test_address_reads_ipv6_with_and_without_brackets),
        cmocka_unit_test(test_address_reads_unix_paths),
        cmocka_unit_test(test_address_reads_abstract_names),
        cmocka_unit_test(test_address_refuses_what_is_none),
        cmocka_unit_test(test_address_takes_the_longest_path_and_no_longer_one),
        cmocka_unit_test(test_address_text_is_cut_off_with_a_zero),
        cmocka_unit_test(test_address_without_a_name_says_so),
        cmocka_unit_test(test_address_of_a_listener_names_the_port_that_was_picked),
        cmocka_unit_test(test_address_that_cannot_be_read_makes_no_listener),
        cmocka_unit_test(test_address_in_the_abstract_can_be_in_use),
        cmocka_unit_test(test_address_of_a_server_that_is_gone_is_taken_over),
        cmocka_unit_test(test_address_of_a_plain_file_is_left_alone),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
