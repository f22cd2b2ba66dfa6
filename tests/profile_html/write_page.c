// SPDX-License-Identifier: MIT
//
// Makes the page of the result document on its input, for tests that look at pages.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/html/html.h"

enum { DOCUMENT_LIMIT = 64 << 20 };

int main(void)
{
    char *document = malloc(DOCUMENT_LIMIT);
    int status = -ENOMEM;
    if (document != NULL)
        status = html_write(stdout, document, fread(document, 1, DOCUMENT_LIMIT, stdin));
    free(document);
    if (status < 0)
        fprintf(stderr, "write_page: %s\n", strerror(-status));
    return status < 0;
}
