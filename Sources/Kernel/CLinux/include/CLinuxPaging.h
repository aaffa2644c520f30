// How a program's own pages come into memory. Included by CLinux.h.
#pragma once

/// Brings the program's pages in one by one from now on, but for its ordered functions: a fault of a file's page otherwise
/// brings 16 of them, and all that the page cache holds in one piece, which is right where the neighbours are wanted too.
/// For this process alone, not for those that it makes. It takes a descriptor, close-on-exec, which must stay open; where
/// that would be one of the standard streams, or the kernel cannot (userfaultfd(2) with UFFD_FEATURE_WP_ASYNC, Linux 6.7),
/// and in a program that is linked without the bounds of its ordered functions, nothing is changed.
void gantry_fault_singly(void);

/// Has children that are made from now on begin with those of the program's functions in memory that this process has: they
/// would fault each one in anew, since a clone copies no mapping that was never written to. It takes a page that is left
/// free for it among the functions; where there is none, or the kernel cannot (madvise(2) with MADV_GUARD_INSTALL for files,
/// Linux 6.15), nothing is changed.
void gantry_hand_down_functions(void);
