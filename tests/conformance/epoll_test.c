// SPDX-License-Identifier: MIT
//
// The claims on epoll.

#include "tests/conformance/suite.h"

int main(void)
{
    return suite_run("epoll");
}
