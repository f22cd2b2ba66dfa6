# SPDX-License-Identifier: MIT
"""The archives behind C libraries, for tests that read what was compiled. BUILD files call it."""

def _library_archives_impl(ctx):
    archives = []
    for dep in ctx.attr.deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                archive = library.pic_static_library or library.static_library
                if archive:
                    archives.append(archive)
    files = depset(archives)
    return [DefaultInfo(
        files = files,
        runfiles = ctx.runfiles(transitive_files = files),
    )]

library_archives = rule(
    implementation = _library_archives_impl,
    attrs = {"deps": attr.label_list(mandatory = True, providers = [CcInfo])},
    doc = "The static archives of `deps` and of everything they are linked with.",
)
