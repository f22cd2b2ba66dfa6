// SPDX-License-Identifier: MIT
//
// Scopes: a deadline and a cancellation for everything that a task does between enter and leave.
// They nest; the nearest deadline counts, and a cancelled outer scope cancels the inner ones.
//
//     struct cede_scope scope;
//     cede_scope_enter(self, cede_now_ns(self) + 5 * CEDE_NANOSECONDS_PER_SECOND, &scope);
//     ... any number of operations ...
//     cede_scope_leave(self, &scope);

#ifndef CEDE_TASKS_SCOPE_H
#define CEDE_TASKS_SCOPE_H

#include "tasks/scheduler.h"

// Opens a scope inside the innermost one. `deadline_ns` is absolute, on the clock of cede_now_ns;
// CEDE_NEVER for none. The structure must live until the scope is left. Does not suspend.
void cede_scope_enter(struct cede_task *self, int64_t deadline_ns, struct cede_scope *ret_scope);

// Leaves the innermost scope, which must be this one. 0 while it was whole; -ECANCELED when it was
// cancelled, -ETIMEDOUT when its deadline is over. Does not suspend.
int cede_scope_leave(struct cede_task *self, struct cede_scope *scope);

// Moves the deadline; what is suspended already keeps the old one. Does not suspend.
void cede_scope_set_deadline(struct cede_scope *scope, int64_t deadline_ns);

// Cuts off what is suspended in the scope and whatever is asked for in it from now on, with
// -ECANCELED (S14). From any task of the same run. Does not suspend.
void cede_scope_cancel(struct cede_scope *scope);

#endif
