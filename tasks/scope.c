// SPDX-License-Identifier: MIT
//
// The policy over what the scheduler owns: which scope is innermost, and what its end means.

#include "tasks/scope.h"

#include <errno.h>

#include "engine/check.h"

void cede_scope_enter(struct cede_task *self, int64_t deadline_ns, struct cede_scope *ret_scope)
{
    *ret_scope = (struct cede_scope){
        .parent = cede_scheduler_scope(self),
        .task = self,
        .deadline_ns = deadline_ns,
    };
    cede_scheduler_set_scope(self, ret_scope);
    cede_scheduler_report_scope(ret_scope, CEDE_TRACE_SCOPE_ENTER, deadline_ns);
}

int cede_scope_leave(struct cede_task *self, struct cede_scope *scope)
{
    cede_check(cede_scheduler_scope(self) == scope && scope->parent);
    cede_scheduler_set_scope(self, scope->parent);
    int result = 0;
    if (scope->is_cancelled)
        result = -ECANCELED;
    else if (scope->deadline_ns <= cede_now_ns(self))
        result = -ETIMEDOUT;
    cede_scheduler_report_scope(scope, CEDE_TRACE_SCOPE_LEAVE, result);
    return result;
}

void cede_scope_set_deadline(struct cede_scope *scope, int64_t deadline_ns)
{
    scope->deadline_ns = deadline_ns;
    cede_scheduler_report_scope(scope, CEDE_TRACE_SCOPE_MOVE, deadline_ns);
    cede_scheduler_scope_changed(scope);
}

void cede_scope_cancel(struct cede_scope *scope)
{
    scope->is_cancelled = true;
    cede_scheduler_report_scope(scope, CEDE_TRACE_SCOPE_CANCEL, 0);
    cede_scheduler_scope_changed(scope);
}
