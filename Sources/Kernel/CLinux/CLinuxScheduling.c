#include "CLinuxScheduling.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/sched/types.h cannot be included beside sched.h, and older ones end before the clamps.
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t minimum, maximum;
};

int gantry_sched_setattr(
    pid_t pid, uint32_t policy, uint64_t flags, int32_t nice, uint32_t priority, uint64_t runtime, uint64_t deadline,
    uint64_t period) {
    struct attributes attributes = {
        .size = sizeof attributes, .policy = policy, .flags = flags, .nice = nice, .priority = priority,
        .runtime = runtime, .deadline = deadline, .period = period};
    return (int)syscall(SYS_sched_setattr, pid, &attributes, 0);
}

int gantry_ioprio_set_group(int class, int priority) {
    // IOPRIO_WHO_PGRP 2, IOPRIO_CLASS_SHIFT 13.
    return (int)syscall(SYS_ioprio_set, 2, 0, class << 13 | priority);
}

int gantry_sched_setaffinity(pid_t pid, const void *mask, size_t count) {
    return (int)syscall(SYS_sched_setaffinity, pid, count, mask);
}

int gantry_sched_getaffinity(pid_t pid, void *mask, size_t count) {
    return (int)syscall(SYS_sched_getaffinity, pid, count, mask);
}

int gantry_personality(unsigned long domain) { return personality(domain); }

int gantry_set_mempolicy(int mode, const void *nodes, size_t byte_count) {
    // The kernel counts one bit less than it is told.
    return (int)syscall(SYS_set_mempolicy, mode, nodes, byte_count == 0 ? 0 : byte_count * 8 + 1);
}
