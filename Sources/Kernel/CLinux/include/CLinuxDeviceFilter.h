// Programs of eBPF that decide which devices a cgroup of version 2 may use. Included by CLinux.h.
#pragma once

#include <stdint.h>

/// bpf(2): loads a BPF_PROG_TYPE_CGROUP_DEVICE program; returns its descriptor.
int gantry_bpf_load_device_filter(const uint64_t *instructions, unsigned int count);
/// bpf(2): attaches that program to a cgroup2 directory, in place of one that was loaded by the call above, and beside
/// those of others.
int gantry_bpf_attach_device_filter(int cgroup, int program);
