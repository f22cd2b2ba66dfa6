// SPDX-License-Identifier: MIT
//
// What stands in the place of a server whose library was not there when it was to be built. It says
// so, in the line that the profiler understands, and ends with 3.

#include <stdio.h>

int main(void)
{
    puts("not built: needs the package " PACKAGE ": tools/setup --peers");
    return 3;
}
