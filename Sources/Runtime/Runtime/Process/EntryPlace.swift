import Glibc
import Linux
import OCI

/// What a process that enters a container needs of it, opened: known before the process itself is.
struct EntryPlace {
    let record: ContainerRecord
    let layout: CgroupLayout
    let sub: SubCgroups
    /// The container's first process.
    let initial: Descriptor
    /// The namespaces to be joined.
    let flags: Int32
    /// To be changed to, where no mount namespace brings it.
    let root: Descriptor?
    /// The way into the cgroups of version 1.
    let cgroups: CgroupEntry

    init(_ record: ContainerRecord, _ layout: CgroupLayout, _ sub: SubCgroups) throws(RuntimeError) {
        (self.record, self.layout, self.sub) = (record, layout, sub)
        initial = try Self.openInitial(record)
        flags = try attempt { () throws(KernelError) in try Self.differingNamespaces(record) }
        root = try Self.openSharedRoot(record, initial)
        let cgroup = record.cgroup(in: layout)
        cgroups = try sub.entry(to: cgroup, with: cgroup.joinedBeyond)
    }

    var cgroup: Cgroup { record.cgroup(in: layout) }

    /// Whether the container may have so many processes only: one that does nothing but wait would take another's place.
    var limitsProcesses: Bool {
        let path = cgroup.path
        let directory = layout.directory(of: path, controller: "pids") ?? layout.unifiedDirectory(of: path)
        // Where nobody counts them there is no such file.
        guard record.hasCgroup, let directory, let limit = try? FileContents.read("\(directory)/pids.max") else {
            return false
        }
        return !limit.starts(with: "max".utf8)
    }

    func close() {
        initial.close()
        root?.close()
        cgroups.close()
    }

    private static func openInitial(_ record: ContainerRecord) throws(RuntimeError) -> Descriptor {
        do throws(KernelError) {
            return try PidFD.open(pid: record.pid, startTicks: record.startTicks)
        } catch {
            throw RuntimeError("cannot exec in a stopped container")
        }
    }

    /// The root of a container that has no mount namespace to bring its own along.
    private static func openSharedRoot(
        _ record: ContainerRecord, _ initial: Descriptor
    ) throws(RuntimeError) -> Descriptor? {
        guard record.sharesMounts else { return nil }
        return try attempt { () throws(KernelError) in
            let root = OwnedDescriptor(try Descriptor.open("/proc/\(record.pid)/root", O_PATH | O_DIRECTORY))
            // The number was that process's while it was looked up.
            try PidFD.send(0, to: initial)
            return root.release()
        }
    }

    /// Joining one's own namespace is needless, and of a user namespace an error.
    private static func differingNamespaces(_ record: ContainerRecord) throws(KernelError) -> Int32 {
        var flags: Int32 = 0
        for kind in LinuxNamespace.Kind.allCases {
            var (theirs, own) = (stat(), stat())
            let path = "/proc/\(record.pid)/ns/\(kind.procName)"
            // Linux before 5.6 has no namespace of clocks.
            if kind == .time, access(path, F_OK) != 0 { continue }
            try kernelCall("stat", path) { stat(path, &theirs) }
            try kernelCall("stat", kind.procName) { stat("/proc/self/ns/\(kind.procName)", &own) }
            if theirs.st_ino != own.st_ino || theirs.st_dev != own.st_dev { flags |= kind.cloneFlag }
        }
        return flags
    }
}
