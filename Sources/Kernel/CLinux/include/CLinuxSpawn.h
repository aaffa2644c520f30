#pragma once

#include <sys/types.h>

/// A program and what it starts with.
struct gantry_spawn {
    const char *program;
    char *const *arguments;
    char *const *environment;
    /// What becomes descriptor 0, 1, 2, …, all of higher numbers than those; -1 for /dev/null. Others are closed.
    const int *descriptors;
    int count;
    /// Where it starts; null: where this process is.
    const char *directory;
    /// Whether it leads a session of its own.
    int new_session;
    /// What errno said where the child could not become the program: it has ended then, and is to be reaped.
    int failure;
};

/// A child as posix_spawn(3) makes it, on memory that is lent until it is the program, but born in a cgroup2 directory
/// (CLONE_INTO_CGROUP, Linux 5.7). No signal is ignored or blocked in it. -1 and errno where there is no child.
pid_t gantry_spawn_into_cgroup(struct gantry_spawn *spawn, int cgroup);
