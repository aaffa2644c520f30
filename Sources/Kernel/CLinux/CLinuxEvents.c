#include "CLinuxEvents.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

int gantry_eventfd(unsigned int initial) { return eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK); }
int gantry_signalfd(const sigset_t *mask) { return signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK); }

int gantry_signalfd_read(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count = read(descriptor, &info, sizeof info);
    return count == sizeof info ? (int)info.ssi_signo : -1;
}

int gantry_accept(int socket, int nonblocking) {
    return accept4(socket, NULL, NULL, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
}

ssize_t gantry_send_descriptor(int socket, int descriptor) {
    return gantry_send_descriptor_with(socket, descriptor, "", 1);
}

ssize_t gantry_send_descriptor_with(int socket, int descriptor, const char *text, size_t count) {
    struct iovec part = {.iov_base = (void *)text, .iov_len = count};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int gantry_receive_descriptor(int socket) {
    char data[512];
    int received;
    ssize_t count = gantry_receive_message(socket, data, sizeof data, &received);
    if (count >= 0 && received < 0) errno = count == 0 ? ECONNRESET : ENOMSG;
    return count < 0 ? -1 : received;
}

// A sender may attach several descriptors; all must be taken, or they stay open in this process for good.
ssize_t gantry_receive_message(int socket, void *bytes, size_t capacity, int *descriptor_out) {
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    union {
        char bytes[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    *descriptor_out = -1;
    if (count < 0) return -1;
    int received = -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < number; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            if (received < 0) received = descriptor;
            else close(descriptor);
        }
    }
    *descriptor_out = received;
    return count;
}

int gantry_unshare(int flags) { return unshare(flags); }

int gantry_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int gantry_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int gantry_spawn_new_session_flag(void) { return POSIX_SPAWN_SETSID; }

void gantry_trim_heap(void) { malloc_trim(0); }

int gantry_set_pipe_size(int descriptor, int size) { return fcntl(descriptor, F_SETPIPE_SZ, size); }

int gantry_spawn_take_terminal(posix_spawn_file_actions_t *actions, int terminal) {
    return posix_spawn_file_actions_addtcsetpgrp_np(actions, terminal);
}

char *const *gantry_environment(void) { return environ; }
