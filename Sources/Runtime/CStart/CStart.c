// What runs before any of Swift: a start of its runtime costs as much as all the rest of a small command, and the
// execution from the sealed file would pay for it a second time.
#define _GNU_SOURCE
#include "CStart.h"

#include <CLinux.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// Numbers of their own: an older C library's headers lack them.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static const char *failed_call;
static int failed_errno;
static int is_sealed;
static int argument_count;
static char **callers_arguments, **callers_environment;

const char *gantry_started(int *number) {
    environ = callers_environment;
    *number = failed_errno;
    return failed_call;
}

char **gantry_arguments(int *count) {
    *count = argument_count;
    return callers_arguments;
}

// Swift's own of these look for the arguments in the table of this process's memory, at every start, asked or not. The
// program that has others under both names does not contain that file.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) { return gantry_arguments(count); }

void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) {
    argument_count = count;
    callers_arguments = arguments;
}

// What runs before the C library's start may use nothing of the library: neither errno and the stack's guard, which need
// the thread's own storage, nor functions that are chosen by the processor, as strcmp is.
#define EARLY __attribute__((no_stack_protector, no_builtin))

// A system call; minus the error's number where it fails.
EARLY static inline long call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long code __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    __asm__ volatile("svc 0"
                     : "+r"(first)
                     : "r"(code), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
                     : "memory");
    return first;
#else
#error "the program's entry is not written for this machine"
#endif
}

EARLY static int is_word(const char *text, const char *word) {
    while (*word && *text == *word) text++, word++;
    return *text == *word;
}

// Whether the command is one that makes a process for a container. A word of that kind elsewhere seals in vain, no more.
EARLY static int makes_process(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *word = arguments[i];
        if (is_word(word, "create") || is_word(word, "run") || is_word(word, "exec") || is_word(word, "restore"))
            return 1;
    }
    return 0;
}

// `SealedExecutable` says what for, and sees to it that this has been done. Returns where the program runs from the sealed
// file, or where that cannot be had: then with the call that failed.
EARLY static const char *seal(char **arguments, char **environment, int *sealed, int *number) {
    struct statfs facts;
    uint64_t attributes[4] = {1 /* MOUNT_ATTR_RDONLY */};
    const char *failed = 0;
    long result = 0;
    long own = call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_PATH | O_CLOEXEC, 0, 0);
    if (own < 0) return 0;
    *sealed = call(SYS_fstatfs, own, (long)&facts, 0, 0, 0) == 0 && facts.f_flags & 1 /* ST_RDONLY */;
    if (!*sealed) {
        long tree = call(SYS_open_tree, own, (long)"", 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH, 0, 0);
        if (tree < 0) {
            failed = "open_tree";
            result = tree;
        } else if ((result = call(
                        SYS_mount_setattr, tree, (long)"", AT_EMPTY_PATH, (long)attributes, sizeof attributes)) < 0) {
            failed = "mount_setattr";
        } else {
            result = call(SYS_execveat, tree, (long)"", (long)arguments, (long)environment, AT_EMPTY_PATH);
            failed = "execveat";
        }
        if (tree >= 0) call(SYS_close, tree, 0, 0, 0, 0);
    }
    call(SYS_close, own, 0, 0, 0, 0);
    *number = (int)-result;
    return failed;
}

// An ordinary user's file is as safe as that user's rights, and no mount may be made without a privilege.
EARLY static int is_to_be_sealed(int count, char **arguments) {
    return !is_sealed && call(SYS_geteuid, 0, 0, 0, 0, 0) == 0 && makes_process(count, arguments);
}

// Called from the program's first instruction, where the release is entered: `stack` is what execve(2) has put there, the
// count of the arguments, they themselves and a zero, the environment and a zero. The image that is left at once has
// touched next to nothing by then; the C library's start asks the processor a hundred questions, each of which a
// hypervisor answers. What fails here is tried again, and then remembered, in `begin`.
__attribute__((used)) EARLY void gantry_enter(long *stack) {
    int count = (int)stack[0], number, sealed = 0;
    char **arguments = (char **)(stack + 1);
    if (!is_to_be_sealed(count, arguments)) return;
    seal(arguments, arguments + count + 1, &sealed, &number);
    if (sealed) is_sealed = 1;
}

__asm__(".pushsection .text.gantry_entry,\"ax\",@progbits\n"
        ".globl gantry_entry\n"
        ".type gantry_entry,@function\n"
        "gantry_entry:\n"
#if defined(__x86_64__)
        "movq %rsp, %rdi\n"
        "pushq %rdx\n"
        "subq $8, %rsp\n"
        "call gantry_enter\n"
        "addq $8, %rsp\n"
        "popq %rdx\n"
        "jmp _start\n"
#elif defined(__aarch64__)
        "mov x19, x0\n"
        "mov x0, sp\n"
        "bl gantry_enter\n"
        "mov x0, x19\n"
        "b _start\n"
#endif
        ".size gantry_entry,.-gantry_entry\n"
        ".popsection\n");

// Swift's runtime looks for its debugger beside the program, in eight places, unless it is told where that is: nowhere,
// since it would be led into containers.
static void begin(int count, char **arguments, char **environment) {
    static char *for_swift[] = {"SWIFT_BACKTRACE=enable=no,swift-backtrace=/", NULL};
    if (is_to_be_sealed(count, arguments))
        failed_call = seal(arguments, environment, &is_sealed, &failed_errno);
    // Executed by a descriptor, it is called by the number of that.
    prctl(PR_SET_NAME, "gantry-runtime");
    // Before the library's start, which is what touches most of its pages.
    gantry_fault_singly();
    argument_count = count;
    callers_arguments = arguments;
    callers_environment = environment;
    environ = for_swift;
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = begin;
