# SPDX-License-Identifier: MIT
"""The one list of compiler and linker flags. Every C target takes its flags from here:

    load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
    load("//bazel:copts.bzl", "COPTS", "LINKOPTS", "TEST_COPTS")

    cc_library(name = "timers", srcs = ["timers.c"], hdrs = ["timers.h"], copts = COPTS, ...)
    cc_binary(name = "doctor", srcs = ["doctor.c"], copts = COPTS, linkopts = LINKOPTS, ...)
    cc_test(name = "timers_test", size = "small", srcs = ["timers_test.c"], copts = TEST_COPTS,
            linkopts = LINKOPTS, deps = ["//engine:timers", "@cmocka"])

Position-independent code and static linking of tests are switched on in .bazelrc.
"""

_LANGUAGE = [
    "-std=gnu11",
    "-D_GNU_SOURCE",
]

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wvla",
    "-Wundef",
    "-Wwrite-strings",
    "-Wcast-qual",
    "-Wpointer-arith",
    "-Wformat=2",
    "-Werror",
]

_HARDENING = [
    "-fstack-protector-strong",
    "-fstack-clash-protection",
    # A profile and a crash report follow frame pointers.
    "-fno-omit-frame-pointer",
    # No symbol of ours is replaced at run time, so that PIC costs no inlining.
    "-fno-semantic-interposition",
]

# Marks where an indirect jump may land; other processors refuse the flag.
_CONTROL_FLOW = select({
    "@platforms//cpu:x86_64": ["-fcf-protection"],
    "//conditions:default": [],
})

# Needs an optimising compiler, and hides reads and writes from the sanitizers. Bazel asks for
# level 1 when it optimises, hence the -U.
_FORTIFY = select({
    "//bazel:optimised_under_sanitizer": ["-U_FORTIFY_SOURCE"],
    "//bazel:optimised": [
        "-U_FORTIFY_SOURCE",
        "-D_FORTIFY_SOURCE=2",
    ],
    "//conditions:default": [],
})

# The path of an operation goes through five files of small functions: inlined into one another they
# cost about a thirtieth of an echo less. gcc does that, and it hides places from the sanitizers.
def _at_link_time(flags):
    return select({
        "//bazel:optimised_by_clang_under_sanitizer": [],
        "//bazel:optimised_by_clang": [],
        "//bazel:optimised_under_sanitizer": [],
        "//bazel:optimised": flags,
        "//conditions:default": [],
    })

# Objects stay usable without it, for `nm` and for others.
_LINK_TIME = _at_link_time([
    "-O3",
    "-flto",
    "-ffat-lto-objects",
])

COPTS = _LANGUAGE + _WARNINGS + _HARDENING + _CONTROL_FLOW + _FORTIFY + _LINK_TIME

# For what has to be C++: a server that is compared with. The headers of its library warn.
CXXOPTS = [
    "-std=c++17",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Werror",
] + _HARDENING + _CONTROL_FLOW + _FORTIFY + _LINK_TIME

# Tests are held to the same.
TEST_COPTS = COPTS

LINKOPTS = [
    "-pie",
    "-Wl,-z,relro,-z,now",
    "-Wl,-z,noexecstack",
] + _at_link_time([
    "-O3",
    "-flto=auto",
])
