#include "CLinuxDeviceFilter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// By this name a program of ours is told from those of systemd and others.
static const char program_name[] = "gantry_device";

static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

int gantry_bpf_load_device_filter(const uint64_t *instructions, unsigned int count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t) "Apache";
    memcpy(attributes.prog_name, program_name, sizeof program_name);
    return bpf(BPF_PROG_LOAD, &attributes);
}

static int is_ours(int program) {
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)program;
    attributes.info.info_len = sizeof info;
    attributes.info.info = (uintptr_t)&info;
    return bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0 && strcmp(info.name, program_name) == 0;
}

// The descriptor of our program on the cgroup, or -1: one cgroup has at most 64.
static int attached_program(int cgroup) {
    uint32_t identifiers[64];
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)identifiers;
    attributes.query.prog_cnt = 64;
    if (bpf(BPF_PROG_QUERY, &attributes) < 0) return -1;
    uint32_t count = attributes.query.prog_cnt;
    for (uint32_t index = 0; index < count && index < 64; index++) {
        memset(&attributes, 0, sizeof attributes);
        attributes.prog_id = identifiers[index];
        int program = bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
        if (program < 0) continue;
        if (is_ours(program)) return program;
        close(program);
    }
    return -1;
}

int gantry_bpf_attach_device_filter(int cgroup, int program) {
    int old = attached_program(cgroup);
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (old >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)old;
    }
    int result = bpf(BPF_PROG_ATTACH, &attributes);
    int error = errno;
    if (old >= 0) close(old);
    errno = error;
    return result;
}
