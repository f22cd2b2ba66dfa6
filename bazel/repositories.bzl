# SPDX-License-Identifier: MIT
"""Repository rules that make the system's packages usable offline. WORKSPACE calls them."""

# Debian's rules_cc 0.0.4 is newer than its Bazel 4.2.3: two files load a function which that Bazel
# does not have. What the function would answer is known, so it is written out instead. A tree
# without these texts (rules_cc 0.0.11, say) is used as it is.
_REWRITES = {
    ', "use_cpp_toolchain")': ")",
    "toolchains = use_cpp_toolchain()": 'toolchains = ["@bazel_tools//tools/cpp:toolchain_type"]',
}

_REWRITTEN_FILES = [
    "cc/private/rules_impl/cc_flags_supplier.bzl",
    "cc/private/rules_impl/compiler_flag.bzl",
]

_LOAD_FROM_BAZEL = 'load("@bazel_tools//tools/cpp:toolchain_utils.bzl"'

def _system_rules_cc_impl(repository_ctx):
    source = repository_ctx.path(repository_ctx.attr.path)
    if not source.exists:
        fail("%s is missing: run tools/setup" % source)

    copied = repository_ctx.execute(["cp", "-R", str(source) + "/.", "."])
    if copied.return_code != 0:
        fail("cannot copy %s: %s" % (source, copied.stderr))

    for name in _REWRITTEN_FILES:
        if not repository_ctx.path(name).exists:
            continue
        text = repository_ctx.read(name)
        if _LOAD_FROM_BAZEL not in text:
            continue
        for old, new in _REWRITES.items():
            text = text.replace(old, new)
        repository_ctx.file(name, text, executable = False)

system_rules_cc = repository_rule(
    implementation = _system_rules_cc_impl,
    attrs = {"path": attr.string(mandatory = True)},
    doc = "The rules_cc of the system, copied and fitted to the Bazel that stands beside it.",
    local = True,
)

def _system_library_impl(repository_ctx):
    header = repository_ctx.path(repository_ctx.attr.header)
    if not header.exists:
        fail("%s is missing: run tools/setup" % header)
    repository_ctx.symlink(repository_ctx.attr.build_file, "BUILD.bazel")

system_library = repository_rule(
    implementation = _system_library_impl,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "header": attr.string(mandatory = True, doc = "A file of the installed library."),
    },
    doc = """A library of the system. Its headers lie where the compiler looks by itself.

    They are not made visible under a second path: with /usr/include as a repository, quoted
    includes inside the C library's own headers find that path first, and Bazel takes them for
    undeclared ones.""",
    local = True,
)

def _empty_coverage_tools_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

empty_coverage_tools = repository_rule(
    implementation = _empty_coverage_tools_impl,
    doc = "Every test names a coverage tool that Bazel would download, used or not. This is none.",
)

def _optional_packages_impl(repository_ctx):
    found = {
        name: repository_ctx.path(file).exists
        for name, file in repository_ctx.attr.files.items()
    }
    repository_ctx.file("BUILD.bazel", "")
    repository_ctx.file("found.bzl", "FOUND = %r\n" % found)

optional_packages = repository_rule(
    implementation = _optional_packages_impl,
    attrs = {"files": attr.string_dict(mandatory = True, doc = "A file of each package.")},
    doc = """Which packages of the system are there: FOUND in found.bzl, by their names.

    For what can be left out where a package is missing. tools/setup has Bazel look again.""",
    configure = True,
    local = True,
)
