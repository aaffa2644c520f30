// function-order SYMBOLS PROGRAM ARGUMENT...: prints, in the order of their first call, the functions that PROGRAM and the
// processes it makes run. SYMBOLS: the output of `nm -n --defined-only PROGRAM`. PROGRAM: linked at a fixed address, not
// stripped. See the article on the runtime's measurements for what the order is good for.
//
// Every function's first byte is replaced by a breakpoint, which is taken away where it is met.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct function { uint64_t address; char *name; int seen; };
static struct function *functions;
static size_t count;
static struct stat own;

static void read_symbols(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    if (!file) { perror(path); exit(1); }
    while (getline(&line, &capacity, file) > 0) {
        char *kind = strchr(line, ' ');
        if (!kind || !strchr("tTwW", kind[1])) continue;
        functions = realloc(functions, (count + 1) * sizeof *functions);
        functions[count++] = (struct function){strtoull(line, NULL, 16), strdup(strtok(kind + 3, "\n")), 0};
    }
    free(line);
    fclose(file);
}

static size_t first_at(uint64_t address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (functions[middle].address < address) low = middle + 1; else high = middle;
    }
    return low;
}

static int open_memory(pid_t process, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", process);
    return open(path, flags | O_CLOEXEC);
}

static uint8_t *text;  // As it is without breakpoints.
static uint64_t low, high;

static void arm(pid_t process) {
    int memory = open_memory(process, O_RDWR);
    uint8_t *armed = malloc(high - low);
    if (!text) {
        text = malloc(high - low);
        if (pread(memory, text, high - low, (off_t)low) != (ssize_t)(high - low)) { perror("read text"); exit(1); }
    }
    memcpy(armed, text, high - low);
    for (size_t i = 0; i < count; i++) if (!functions[i].seen) armed[functions[i].address - low] = 0xCC;
    if (pwrite(memory, armed, high - low, (off_t)low) != (ssize_t)(high - low)) { perror("write text"); exit(1); }
    free(armed);
    close(memory);
}

static int is_own(pid_t process) {
    char path[64];
    struct stat facts;
    snprintf(path, sizeof path, "/proc/%d/exe", process);
    return stat(path, &facts) == 0 && facts.st_ino == own.st_ino && facts.st_dev == own.st_dev;
}

static int meet(pid_t process) {
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, process, NULL, &registers);
    uint64_t address = registers.rip - 1;
    if (address < low || address >= high) return 0;
    size_t index = first_at(address);
    if (index >= count || functions[index].address != address) return 0;
    int memory = open_memory(process, O_RDWR);
    if (pwrite(memory, text + (address - low), 1, (off_t)address) != 1) perror("restore");
    close(memory);
    if (!functions[index].seen)
        for (size_t i = index; i < count && functions[i].address == address; i++) {
            functions[i].seen = 1;
            printf("%s\n", functions[i].name);
        }
    registers.rip = address;
    ptrace(PTRACE_SETREGS, process, NULL, &registers);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    setlinebuf(stdout);  // Other processes write to it too.
    read_symbols(argv[1]);
    if (!count || stat(argv[2], &own) != 0) { perror(argv[2]); return 1; }
    low = functions[0].address & ~4095ULL;
    high = (functions[count - 1].address + 4096) & ~4095ULL;
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    int status, result = 0;
    waitpid(first, &status, 0);
    ptrace(PTRACE_SETOPTIONS, first, NULL, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC);
    arm(first);
    ptrace(PTRACE_CONT, first, NULL, NULL);
    for (pid_t process; (process = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (process == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_EXEC) {
            if (is_own(process)) arm(process);
            else { ptrace(PTRACE_DETACH, process, NULL, NULL); continue; }
        }
        if (event || signal == SIGSTOP || (signal == SIGTRAP && meet(process))) signal = 0;
        ptrace(PTRACE_CONT, process, NULL, (void *)(intptr_t)signal);
    }
    return result;
}
