// SPDX-License-Identifier: MIT
//
// Everything a program needs: tasks that yield `recv` or `send` and a socket, and what is built on
// that. Start with cede_run in tasks/scheduler.h and the socket calls in net/socket.h.

#ifndef CEDE_H
#define CEDE_H

#include "net/address.h"
#include "net/listener.h"
#include "net/signals.h"
#include "net/socket.h"
#include "tasks/scheduler.h"
#include "tasks/scope.h"

#endif
