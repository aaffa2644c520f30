// Where, when and as what machine's a process runs. Included by CLinux.h.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// sched_setattr(2), with the clamps of utilization at zero.
int gantry_sched_setattr(
    pid_t pid, uint32_t policy, uint64_t flags, int32_t nice, uint32_t priority, uint64_t runtime, uint64_t deadline,
    uint64_t period);
/// ioprio_set(2) for the calling process's group.
int gantry_ioprio_set_group(int class, int priority);
/// sched_setaffinity(2): a bit a processor, the first in the lowest bit of the first byte; whole words of 8 bytes.
int gantry_sched_setaffinity(pid_t pid, const void *mask, size_t count);
/// sched_getaffinity(2): how many bytes were filled.
int gantry_sched_getaffinity(pid_t pid, void *mask, size_t count);
int gantry_personality(unsigned long domain);
/// set_mempolicy(2): the mode with its flags; a bit a memory node, whole words of 8 bytes.
int gantry_set_mempolicy(int mode, const void *nodes, size_t byte_count);
