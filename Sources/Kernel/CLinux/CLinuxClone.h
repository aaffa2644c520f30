// clone3(2)'s arguments. Not among what Swift sees.
#pragma once
#include <stdint.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

// linux/sched.h of Debian 12 has the struct; spelled out here so that an older header cannot cut it short.
struct gantry_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
