// What must happen to the terminal when the process ends in any way but the planned one. Everything below a handler is
// async-signal-safe: write(2), tcsetattr(3), dup2(2), pread(2), sigaction(2), raise(3).
#include "CCurses.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t guard_descriptor = -1;
static struct termios guard_settings;
static char guard_bytes[512];
static volatile sig_atomic_t guard_count;

static volatile sig_atomic_t stderr_real = -1, stderr_memory = -1;

static int pipe_ends[2] = {-1, -1};
static volatile sig_atomic_t was_asked_to_end;

static const int taken[] = {SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT};
static const int crashes[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGABRT,   SIGTRAP, SIGFPE,    SIGSYS, SIGQUIT,
                              SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGSTKFLT, SIGIO,  SIGPWR,
                              SIGXCPU, SIGXFSZ};
enum { taken_count = sizeof taken / sizeof *taken, crash_count = sizeof crashes / sizeof *crashes };
static struct sigaction taken_before[taken_count], crashes_before[crash_count];

void gantry_guard_arm(int descriptor) {
    guard_count = 0;
    if (tcgetattr(descriptor, &guard_settings) == 0) guard_descriptor = descriptor;
}

void gantry_guard_set_bytes(const char *bytes, size_t count) {
    guard_count = 0;
    if (count > sizeof guard_bytes) count = sizeof guard_bytes;
    memcpy(guard_bytes, bytes, count);
    guard_count = (sig_atomic_t)count;
}

void gantry_guard_restore(void) {
    if (guard_descriptor < 0) return;
    // A terminal that does not read must not hold up a process that dies: one attempt, whatever it takes.
    ssize_t written = write(guard_descriptor, guard_bytes, (size_t)guard_count);
    (void)written;
    tcsetattr(guard_descriptor, TCSANOW, &guard_settings);
}

void gantry_guard_disarm(void) { guard_descriptor = -1; }

void gantry_stderr_hold(void) {
    if (stderr_real >= 0 || !isatty(STDERR_FILENO)) return;
    int memory = memfd_create("stderr", MFD_CLOEXEC);
    int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (memory < 0 || real < 0 || dup2(memory, STDERR_FILENO) < 0) {
        if (memory >= 0) close(memory);
        if (real >= 0) close(real);
        return;
    }
    stderr_memory = memory;
    stderr_real = real;
}

void gantry_stderr_release(void) {
    if (stderr_real < 0) return;
    dup2(stderr_real, STDERR_FILENO);
    off_t end = lseek(stderr_memory, 0, SEEK_END);
    off_t offset = end > 65536 ? end - 65536 : 0;
    char piece[4096];
    while (offset < end) {
        ssize_t count = pread(stderr_memory, piece, sizeof piece, offset);
        if (count <= 0 || write(STDERR_FILENO, piece, (size_t)count) < 0) break;
        offset += count;
    }
    close(stderr_memory);
    close(stderr_real);
    stderr_real = stderr_memory = -1;
}

static void end_by(int signal_number) {
    gantry_guard_restore();
    gantry_stderr_release();
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(signal_number, &action, NULL);
    raise(signal_number);
}

static void on_signal(int signal_number) {
    int kept = errno;
    int ends = signal_number == SIGTERM || signal_number == SIGHUP || signal_number == SIGINT;
    // Whoever asks twice has not been heard: the main thread hangs.
    if (ends && was_asked_to_end) {
        end_by(signal_number);
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, signal_number);
        pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    }
    if (ends) was_asked_to_end = 1;
    char byte = (char)signal_number;
    ssize_t written = write(pipe_ends[1], &byte, 1);
    (void)written;
    errno = kept;
}

static void on_crash(int signal_number) {
    gantry_guard_restore();
    gantry_guard_disarm();
    gantry_stderr_release();
    // To whom it belonged before: the default, or Swift's own backtrace. A fault comes again when its instruction is
    // run again; a signal that was sent has to be sent again.
    for (int index = 0; index < crash_count; index++) {
        if (crashes[index] == signal_number) sigaction(signal_number, &crashes_before[index], NULL);
    }
    raise(signal_number);
}

static void take(int signal_number, void (*handler)(int), int flags, struct sigaction *before) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, before);
}

int gantry_signals_take(void) {
    if (pipe_ends[0] < 0 && pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    was_asked_to_end = 0;
    // A stack that has run over cannot carry the handler. Of the main thread alone: the others' crashes find room.
    static char crash_stack[65536];
    stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack};
    sigaltstack(&stack, NULL);
    for (int index = 0; index < taken_count; index++) {
        take(taken[index], on_signal, SA_RESTART, &taken_before[index]);
    }
    for (int index = 0; index < crash_count; index++) {
        take(crashes[index], on_crash, SA_ONSTACK | SA_NODEFER, &crashes_before[index]);
        if (crashes_before[index].sa_handler == SIG_IGN) sigaction(crashes[index], &crashes_before[index], NULL);
    }
    return pipe_ends[0];
}

void gantry_signals_release(void) {
    for (int index = 0; index < taken_count; index++) sigaction(taken[index], &taken_before[index], NULL);
    for (int index = 0; index < crash_count; index++) sigaction(crashes[index], &crashes_before[index], NULL);
    for (int end = 0; end < 2; end++) {
        if (pipe_ends[end] >= 0) close(pipe_ends[end]);
        pipe_ends[end] = -1;
    }
}

static void change_mask(int how, int signal_number, sigset_t *before) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    pthread_sigmask(how, &only, before);
}

void gantry_signals_stop_here(void) {
    struct sigaction before;
    sigset_t mask;
    take(SIGTSTP, SIG_DFL, 0, &before);
    change_mask(SIG_BLOCK, SIGTSTP, &mask);
    // To the whole group: the shell that waits for a pipeline must see all of it stop.
    kill(0, SIGTSTP);
    // Where no other thread has taken it this one does here, and not once it finds the handler again.
    change_mask(SIG_UNBLOCK, SIGTSTP, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTSTP, &before, NULL);
}

static const int lent[] = {SIGINT, SIGQUIT, SIGTSTP};
enum { lent_count = sizeof lent / sizeof *lent };
static struct sigaction lent_before[lent_count];

void gantry_signals_lend(int may_stop) {
    for (int index = 0; index < lent_count; index++) {
        int stops = may_stop && lent[index] == SIGTSTP;
        take(lent[index], stops ? SIG_DFL : SIG_IGN, 0, &lent_before[index]);
    }
}

void gantry_signals_take_back(void) {
    for (int index = 0; index < lent_count; index++) sigaction(lent[index], &lent_before[index], NULL);
}

int gantry_terminal_is_ours(int descriptor) {
    pid_t group = tcgetpgrp(descriptor);
    return group < 0 || group == getpgrp();
}

int gantry_terminal_await(int descriptor) {
    if (gantry_terminal_is_ours(descriptor)) return 0;
    struct sigaction before;
    sigset_t mask;
    take(SIGTTOU, SIG_DFL, 0, &before);
    // Threads of a pool have it blocked, and are let through then.
    change_mask(SIG_UNBLOCK, SIGTTOU, &mask);
    // Changes nothing, and is for the foreground alone: the kernel stops whoever else asks, and begins the call again
    // once they were continued.
    int result = tcdrain(descriptor);
    int reason = errno;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTTOU, &before, NULL);
    errno = reason;
    return result;
}

void gantry_terminal_reclaim(int descriptor) {
    if (gantry_terminal_is_ours(descriptor)) return;
    sigset_t mask;
    change_mask(SIG_BLOCK, SIGTTOU, &mask);
    tcsetpgrp(descriptor, getpgrp());
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
