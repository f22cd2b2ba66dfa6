# SPDX-License-Identifier: MIT
"""Servers of libraries that may be absent. Then a program takes their place that says so."""

load("@peer_packages//:found.bzl", "FOUND")
load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//bazel:copts.bzl", "COPTS", "CXXOPTS", "LINKOPTS")

def _absent(name, package):
    cc_binary(
        name = name,
        srcs = ["absent.c"],
        copts = COPTS,
        linkopts = LINKOPTS,
        local_defines = ["PACKAGE=\\\"%s\\\"" % package],
    )

def c_peer(name, package, library):
    """A server in C: NAME.c, linked with a library of `package`."""
    if not FOUND[package]:
        _absent(name, package)
        return
    cc_binary(
        name = name,
        srcs = [name + ".c"],
        copts = COPTS,
        linkopts = LINKOPTS + ["-l" + library],
        deps = [":peer"],
    )

def cxx_peer(name, package):
    """A server in C++: NAME.cc, for a library that is all headers."""
    if not FOUND[package]:
        _absent(name, package)
        return
    cc_binary(
        name = name,
        srcs = [name + ".cc"],
        copts = CXXOPTS,
        linkopts = LINKOPTS + ["-lstdc++"],
        deps = [":peer"],
    )

# The sandbox has no home and no network. Nothing is kept from one build to the next, and with other
# settings than the package's own its standard library would be compiled each time.
_GO_BUILD = """
export HOME=$$(mktemp -d)
trap 'rm -rf "$$HOME"' EXIT
GOCACHE="$$HOME/cache" GOPATH="$$HOME/go" GO111MODULE=off GOPROXY=off go build -o $@ $<
"""

def go_peer(name, package):
    """A server in Go: NAME.go, with nothing but the standard library."""
    if not FOUND[package]:
        _absent(name, package)
        return
    native.genrule(
        name = name + "_build",
        srcs = [name + ".go"],
        outs = [name],
        cmd = _GO_BUILD,
        executable = True,
    )
