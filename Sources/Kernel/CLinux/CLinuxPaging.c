#include "CLinuxPaging.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/userfaultfd.h: older ones lack them.
#define USER_MODE_ONLY 1
#define FEATURE_WP_ASYNC ((uint64_t)1 << 15)

// As above, of sys/mman.h.
#define GUARD_INSTALL 102

// The image, by the linker; and what its script says to be ordered, where it has one.
extern const char __executable_start[], _edata[];
extern const char gantry_ordered_start[] __attribute__((weak)), gantry_ordered_end[] __attribute__((weak));
// A free page among the ordered functions, and one among the others.
extern const char gantry_ordered_hole[] __attribute__((weak)), gantry_library_hole[] __attribute__((weak));

static int register_range(int descriptor, const char *start, const char *end) {
    uint64_t first = (uint64_t)start & ~(uint64_t)4095, last = (uint64_t)end & ~(uint64_t)4095;
    struct uffdio_register range = {
        .range = {.start = first, .len = last - first}, .mode = UFFDIO_REGISTER_MODE_WP};
    return ioctl(descriptor, UFFDIO_REGISTER, &range);
}

// A mapping whose writes are watched gets single pages, since each has a mark of its own. None is ever watched here.
void gantry_fault_singly(void) {
    struct uffdio_api watching = {.api = UFFD_API, .features = FEATURE_WP_ASYNC};
    if (!gantry_ordered_start || !gantry_ordered_end) return;
    int descriptor = (int)syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY);
    if (descriptor < 0) return;
    if (descriptor < 3 || ioctl(descriptor, UFFDIO_API, &watching) != 0 ||
        register_range(descriptor, __executable_start, gantry_ordered_start) != 0 ||
        register_range(descriptor, gantry_ordered_end, _edata) != 0)
        close(descriptor);
}

// A mapping that has guarded pages is one that its children cannot have from the file alone. What fails is only slower.
void gantry_hand_down_functions(void) {
    if (!gantry_ordered_hole || !gantry_library_hole) return;
    madvise((void *)gantry_ordered_hole, 1, GUARD_INSTALL);
    madvise((void *)gantry_library_hole, 1, GUARD_INSTALL);
}
