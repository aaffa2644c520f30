// Readiness, child processes and descriptors over sockets: what Glibc's module leaves out. Included by CLinux.h.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

int gantry_eventfd(unsigned int initial);
/// signalfd(2), non-blocking, for a mask; the signals must be blocked already.
int gantry_signalfd(const sigset_t *mask);
/// Reads one signal number from a signalfd; -1 and EAGAIN where none is pending.
int gantry_signalfd_read(int descriptor);

int gantry_accept(int socket, int nonblocking);
/// Sends one byte with a descriptor (SCM_RIGHTS); never raises SIGPIPE.
ssize_t gantry_send_descriptor(int socket, int descriptor);
/// The same with `text` in place of the byte.
ssize_t gantry_send_descriptor_with(int socket, int descriptor, const char *text, size_t count);
/// Receives a message of one descriptor, close-on-exec; further descriptors and data are dropped. -1 and ENOMSG where
/// the message brought none, ECONNRESET at the end of the connection.
int gantry_receive_descriptor(int socket);
/// Receives a message: its length, its bytes, and the first descriptor that it brought, or -1; others are dropped.
ssize_t gantry_receive_message(int socket, void *data, size_t capacity, int *descriptor);

int gantry_unshare(int flags);

int gantry_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
int gantry_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path);
int gantry_spawn_new_session_flag(void);
/// The child's process group becomes the foreground one of the terminal.
int gantry_spawn_take_terminal(posix_spawn_file_actions_t *actions, int terminal);
/// This process's own variables, for a child that is to have the same.
char *const *gantry_environment(void);

/// malloc_trim(3): gives free memory of the heap back to the kernel.
void gantry_trim_heap(void);

int gantry_set_pipe_size(int descriptor, int size);
