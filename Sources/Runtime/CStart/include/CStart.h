#ifndef CSTART_H
#define CSTART_H

/// To be called first of all in main: gives the program its environment. Returns the kernel call of the sealing that
/// failed before main, with its errno; NULL where none did.
const char *gantry_started(int *number);
/// The arguments as execve(2) gave them, the program's name first.
char **gantry_arguments(int *count);

#endif
