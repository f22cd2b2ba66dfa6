// SPDX-License-Identifier: MIT
//
// The claims on select.

#include "tests/conformance/suite.h"

int main(void)
{
    return suite_run("select");
}
