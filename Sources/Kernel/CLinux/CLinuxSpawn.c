#include "CLinux.h"
#include "CLinuxClone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a child that shares its parent's memory may use: no lock, no heap, no stack but its own.
static void become(struct gantry_spawn *spawn) {
    gantry_reset_signals();
    if (spawn->new_session) setsid();
    for (int target = 0; target < spawn->count; target++) {
        int source = spawn->descriptors[target];
        int given = source >= 0 ? source : open("/dev/null", O_RDWR);
        if (given < 0 || (given != target && dup2(given, target) < 0)) goto failed;
        if (source < 0 && given != target) close(given);
    }
    closefrom(spawn->count);
    if (spawn->directory && chdir(spawn->directory) < 0) goto failed;
    execve(spawn->program, spawn->arguments, spawn->environment);
failed:
    spawn->failure = errno;
}

// clone3(2), whose child begins on a stack of its own with `become` and ends after it. The C library has no such call: its
// clone() knows no cgroup, and syscall() would return twice on one stack.
static long clone_and_become(struct gantry_clone_args *args, size_t size, struct gantry_spawn *spawn) {
#if defined(__x86_64__)
    register struct gantry_spawn *given __asm__("r12") = spawn;
    register void (*body)(struct gantry_spawn *) __asm__("r13") = become;
    long result;
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "movq %%r12, %%rdi\n\t"
                     "callq *%%r13\n\t"
                     "movl $127, %%edi\n\t"
                     "movl %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "1:"
                     : "=a"(result)
                     : "0"((long)SYS_clone3), "D"(args), "S"(size), "r"(given), "r"(body), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory", "cc");
    return result;
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)args;
    register long second __asm__("x1") = (long)size;
    register struct gantry_spawn *given __asm__("x10") = spawn;
    register void (*body)(struct gantry_spawn *) __asm__("x11") = become;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x10\n\t"
                     "blr x11\n\t"
                     "mov x0, #127\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc 0\n\t"
                     "1:"
                     : "+r"(first)
                     : "r"(number), "r"(second), "r"(given), "r"(body), [exit] "i"(SYS_exit)
                     : "memory", "cc");
    return first;
#else
    return -ENOSYS;
#endif
}

pid_t gantry_spawn_into_cgroup(struct gantry_spawn *spawn, int cgroup) {
    _Alignas(16) char stack[16384];
    struct gantry_clone_args args = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_INTO_CGROUP,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
        .cgroup = (uint64_t)cgroup,
    };
    // No handler of this process may run in the child, while it still has this memory; not even the C library's own two.
    uint64_t all = ~0ULL, before;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    spawn->failure = 0;
    long result = clone_and_become(&args, sizeof args, spawn);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (pid_t)result;
}
