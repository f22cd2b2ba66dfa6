// SPDX-License-Identifier: MIT
//
// Text to socket addresses and back, by inet_pton(3) and inet_ntop(3).

#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char unix_prefix[] = "unix:";

static int parse_unix(const char *path, struct cede_address *ret_address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0)
        return -EINVAL;
    if (length >= sizeof un.sun_path)
        return -ENAMETOOLONG;
    memcpy(un.sun_path, path, length);
    size_t bytes = offsetof(struct sockaddr_un, sun_path) + length;
    // An abstract name has a zero in front and none behind; a path the other way round.
    if (path[0] == '@')
        un.sun_path[0] = '\0';
    else
        bytes++;
    ret_address->as.unix_path = un;
    ret_address->bytes = (socklen_t)bytes;
    return 0;
}

static int parse_ipv6(const char *host, uint16_t port, struct cede_address *ret_address)
{
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length >= sizeof bare)
        return -EINVAL;
    memcpy(bare, host, length);
    bare[length] = '\0';
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, bare, &ipv6.sin6_addr) != 1)
        return -EINVAL;
    ret_address->as.ipv6 = ipv6;
    ret_address->bytes = sizeof ipv6;
    return 0;
}

int cede_address_parse(const char *host, uint16_t port, struct cede_address *ret_address)
{
    if (strncmp(host, unix_prefix, sizeof unix_prefix - 1) == 0)
        return parse_unix(host + sizeof unix_prefix - 1, ret_address);
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &ipv4.sin_addr) != 1)
        return parse_ipv6(host, port, ret_address);
    ret_address->as.ipv4 = ipv4;
    ret_address->bytes = sizeof ipv4;
    return 0;
}

static void format_unix(const struct cede_address *address, char *ret_text, size_t bytes)
{
    const struct sockaddr_un *un = &address->as.unix_path;
    size_t length = address->bytes - offsetof(struct sockaddr_un, sun_path);
    if (length == 0)
        snprintf(ret_text, bytes, "unix:(unnamed)");
    else if (un->sun_path[0] == '\0')
        snprintf(ret_text, bytes, "unix:@%.*s", (int)length - 1, un->sun_path + 1);
    else
        snprintf(ret_text, bytes, "unix:%.*s", (int)strnlen(un->sun_path, length), un->sun_path);
}

void cede_address_format(const struct cede_address *address, char *ret_text, size_t bytes)
{
    char host[INET6_ADDRSTRLEN];
    switch (address->as.any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &address->as.ipv4.sin_addr, host, sizeof host);
        snprintf(ret_text, bytes, "%s:%u", host, cede_address_port(address));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &address->as.ipv6.sin6_addr, host, sizeof host);
        snprintf(ret_text, bytes, "[%s]:%u", host, cede_address_port(address));
        break;
    case AF_UNIX:
        format_unix(address, ret_text, bytes);
        break;
    default:
        snprintf(ret_text, bytes, "(family %u)", address->as.any.sa_family);
    }
}

uint16_t cede_address_port(const struct cede_address *address)
{
    if (address->as.any.sa_family == AF_INET)
        return ntohs(address->as.ipv4.sin_port);
    if (address->as.any.sa_family == AF_INET6)
        return ntohs(address->as.ipv6.sin6_port);
    return 0;
}
