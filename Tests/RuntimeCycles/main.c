// runtime-cycles csd|run COUNT DIRECTORY BUNDLE RUNTIME...: takes an OCI bundle through its whole life, the runtimes in turn
// inside each round, and prints a line for each runtime and figure: RUNTIME, FIGURE, then COUNT values.
//
//   csd: create; start; wait for the container's end; delete        run: run
//
// Figures are of a whole cycle: wall time in ms (and of each step), user and system time in ms of the runtime's processes
// and the container's, the largest resident set of one of them in KiB. In C and small, because a process's peak of memory
// counts what it had of its parent's before it was executed. A child subreaper, as a shim is.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum figure { WALL, CREATE, START, WAIT, DELETE, CPU, PEAK, FIGURES };
static const char *const names[] = {"wall", "create", "start", "wait", "delete", "cpu", "peak"};
static double figures[FIGURES];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void count(const struct rusage *usage) {
    figures[CPU] += usage->ru_utime.tv_sec * 1e3 + usage->ru_utime.tv_usec / 1e3;
    figures[CPU] += usage->ru_stime.tv_sec * 1e3 + usage->ru_stime.tv_usec / 1e3;
    if (usage->ru_maxrss > figures[PEAK]) figures[PEAK] = usage->ru_maxrss;
}

static void reap(pid_t process, const char *what) {
    int status;
    struct rusage usage;
    while (wait4(process, &status, 0, &usage) != process)
        if (errno != EINTR) { perror(what); exit(1); }
    if (status) { fprintf(stderr, "%s: status %x\n", what, status); exit(1); }
    count(&usage);
}

/// Runs a command to its end; returns how long that took.
static double command(char **arguments) {
    double begin = now();
    pid_t process;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    int error = posix_spawn(&process, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) { fprintf(stderr, "%s: %s\n", arguments[0], strerror(error)); exit(1); }
    reap(process, arguments[3]);
    return now() - begin;
}

static pid_t read_pid(const char *path) {
    int process = 0;
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &process) != 1) { perror(path); exit(1); }
    fclose(file);
    return process;
}

static void cycle(int is_run, char *runtime, char *root, char *bundle, char *id) {
    memset(figures, 0, sizeof figures);
    double begin = now();
    if (is_run) {
        command((char *[]){runtime, "--root", root, "run", "--bundle", bundle, id, NULL});
    } else {
        char pid_file[4200];
        snprintf(pid_file, sizeof pid_file, "%s.pid", root);
        figures[CREATE] = command(
            (char *[]){runtime, "--root", root, "create", "--bundle", bundle, "--pid-file", pid_file, id, NULL});
        figures[START] = command((char *[]){runtime, "--root", root, "start", id, NULL});
        double started = now();
        reap(read_pid(pid_file), "the container");
        figures[WAIT] = now() - started;
        figures[DELETE] = command((char *[]){runtime, "--root", root, "delete", id, NULL});
    }
    figures[WALL] = now() - begin;
    // What others left to the subreaper.
    int status;
    struct rusage usage;
    while (wait4(-1, &status, WNOHANG, &usage) > 0) count(&usage);
}

int main(int argc, char **argv) {
    if (argc < 6) { fprintf(stderr, "usage: runtime-cycles csd|run COUNT DIRECTORY BUNDLE RUNTIME...\n"); return 2; }
    int is_run = !strcmp(argv[1], "run"), rounds = atoi(argv[2]), runtimes = argc - 5;
    char *bundle = realpath(argv[4], NULL);
    if (!bundle || rounds < 1) { perror(argv[4]); return 1; }
    // `run` is its own subreaper, or needs none.
    if (!is_run) prctl(PR_SET_CHILD_SUBREAPER, 1);
    double *values = calloc((size_t)rounds * runtimes * FIGURES, sizeof *values);
    // The first two rounds fill caches and are not counted.
    for (int round = -2; round < rounds; round++)
        for (int index = 0; index < runtimes; index++) {
            char root[4096], id[64];
            snprintf(root, sizeof root, "%s/state-%d", argv[3], index);
            mkdir(root, 0700);
            snprintf(id, sizeof id, "gantry-cycle-%d-%d-%d", getpid(), index, round + 2);
            cycle(is_run, argv[5 + index], root, bundle, id);
            if (round < 0) continue;
            for (int figure = 0; figure < FIGURES; figure++)
                values[(index * FIGURES + figure) * rounds + round] = figures[figure];
        }
    for (int index = 0; index < runtimes; index++)
        for (int figure = 0; figure < FIGURES; figure++) {
            if (is_run && figure >= CREATE && figure <= DELETE) continue;
            printf("%s\t%s", argv[5 + index], names[figure]);
            for (int round = 0; round < rounds; round++)
                printf("\t%.3f", values[(index * FIGURES + figure) * rounds + round]);
            printf("\n");
        }
    return 0;
}
