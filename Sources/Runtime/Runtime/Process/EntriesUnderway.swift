import Glibc
import Linux

/// Entries into a container that are not through: the helpers of `ContainerEntry` in its cgroup, processes of the runtime's
/// and not the container's.
enum EntriesUnderway {
    /// How long one that is killed may take to end; in a container that is frozen it may not before that goes on.
    private static let endMilliseconds: Int32 = 1000

    /// The helpers.
    ///
    /// - Parameter pids: all that are in the cgroup.
    static func among(_ pids: [Int32], of record: ContainerRecord) -> [Int32] {
        let members = Set(pids)
        return pids.filter { pid in
            // Before it is started, the container's first process is like one of them. What has ended is none.
            guard pid != record.pid, let own = try? ProcessStat.read(pid: pid), own.hasNeverExecuted,
                own.command == Invocation.program, !members.contains(own.parent)
            else { return false }
            // Its maker may have left it.
            if own.isEntering { return true }
            // A maker that has ended is none.
            return (try? ProcessStat.read(pid: own.parent))?.command == Invocation.program
        }
    }

    /// Ends those that wait in the container, whose runtimes then tell that there is no process.
    static func end(in cgroup: Cgroup, of record: ContainerRecord) throws(KernelError) {
        for pid in among(try cgroup.processes(), of: record) {
            // One that is gone is what is wanted.
            guard let opened = try? PidFD.open(pid: pid) else { continue }
            let helper = OwnedDescriptor(opened)
            // The number may be another's by the time that it is opened.
            guard among(try cgroup.processes(), of: record).contains(pid) else { continue }
            // As above.
            try? PidFD.send(SIGKILL, to: helper.descriptor)
            _ = try PidFD.waitForEnd(helper.descriptor, timeoutMilliseconds: endMilliseconds)
        }
    }
}
