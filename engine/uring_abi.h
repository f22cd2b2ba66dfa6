// SPDX-License-Identifier: MIT
//
// What the kernel's io_uring has and the headers of liburing 2.3 do not name. Numbers of the
// kernel's interface; whether a kernel knows them is found out when the ring is opened.

#ifndef CEDE_ENGINE_URING_ABI_H
#define CEDE_ENGINE_URING_ABI_H

// Linux 6.15: a wait in the ring is not accounted as waiting for a disk.
#define CEDE_URING_ENTER_NO_IOWAIT (1U << 7)
#define CEDE_URING_FEAT_NO_IOWAIT (1U << 17)

#endif
