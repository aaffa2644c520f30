import Glibc

/// The way into cgroups of version 1 for a process that goes there by itself.
///
/// A process is moved by writing its number to `cgroup.procs`, for which the kernel first waits until no process is being
/// made or ended anywhere: a grace period of RCU, 7 to 15 ms where nobody was moved shortly before. A process with one thread
/// that writes `0` to `tasks` moves without that wait, since it does nothing else meanwhile
/// (`cgroup_procs_write_start` in kernel/cgroup/cgroup.c, Linux 5.5 and later).
package struct CgroupEntry: Sendable {
    private let tasks: [(path: String, descriptor: Descriptor)]

    /// Opens the directories' `tasks`: whose right it is to move into them is decided by who opens.
    package init(directories: [String]) throws(KernelError) {
        var opened: [(path: String, descriptor: Descriptor)] = []
        for directory in directories {
            let path = "\(directory)/tasks"
            do throws(KernelError) { opened.append((path, try Descriptor.open(path, O_WRONLY))) } catch {
                for (_, descriptor) in opened { descriptor.close() }
                throw error
            }
        }
        tasks = opened
    }

    /// Moves this process, which must have one thread, and closes.
    package func enter() throws(KernelError) {
        defer { close() }
        for (path, descriptor) in tasks {
            do throws(KernelError) { try descriptor.writeAll([UInt8(ascii: "0")]) } catch {
                throw KernelError("write 0 to", path, error.errno)
            }
        }
    }

    package func close() { for (_, descriptor) in tasks { descriptor.close() } }
}
