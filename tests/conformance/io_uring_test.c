// SPDX-License-Identifier: MIT
//
// The claims on io_uring.

#include "tests/conformance/suite.h"

int main(void)
{
    return suite_run("io_uring");
}
