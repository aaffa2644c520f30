import Glibc
import JSON
import Linux
import OCI

/// The groups of the resctrl file system that a container's processes are in, as its record has them.
struct ResctrlGroups: Hashable {
    /// Directories with a `tasks`, from the outer to the inner.
    var joined: [String] = []
    /// Those that go with the container, the inner first.
    var made: [String] = []
    /// One that was made for it and stays for others, unless the container does not come about.
    var shared: [String] = []

    /// A further process of the container.
    func add(pid: Int32) throws(RuntimeError) {
        for directory in joined {
            try attempt("linux.intelRdt: unable to add pid \(pid)") { () throws(KernelError) in
                try FileContents.write(String(pid), to: "\(directory)/tasks")
            }
        }
    }

    /// The kernel gives what is still in a group to the one above.
    func remove(withShared: Bool = false) throws(KernelError) {
        for directory in withShared ? made + shared : made {
            do throws(KernelError) {
                try kernelCall("rmdir", directory) { rmdir(directory) }
            } catch  where error.errno == .noSuchFile {
                // It went with the group above, or with the mount.
            }
        }
    }

    /// Changes the shares of the container's group.
    func write(_ schemata: [String]) throws(RuntimeError) {
        guard let group = joined.first else { throw RuntimeError("linux.intelRdt: the container has no group") }
        try attempt("linux.intelRdt: unable to write \"\(schemata.joined(separator: "\\n"))\"") {
            () throws(KernelError) in
            try FileContents.write(schemata.map { $0 + "\n" }.joined(), to: "\(group)/schemata")
        }
    }
}

extension ResctrlGroups: RuntimeWritable {
    init(_ record: RuntimeProperty) throws(RuntimeSpecError) {
        joined = try record.required("joined").strings()
        made = try record.required("made").strings()
    }

    var json: JSONValue { ["joined": joined.json, "made": made.json] }
}

extension ResctrlPlan {
    /// Makes the groups, sets the shares and puts the process there, before it has children. What was made and cannot be
    /// used is removed again.
    func enter(pid: Int32) throws(RuntimeError) -> ResctrlGroups {
        var groups = ResctrlGroups()
        do throws(RuntimeError) {
            try makeGroup(&groups)
            if let monitoring {
                if try make(monitoring, "enableMonitoring") { groups.made.insert(monitoring, at: 0) }
                groups.joined.append(monitoring)
            }
            if !schemata.isEmpty { try groups.write(schemata) }
            try groups.add(pid: pid)
        } catch {
            let status = lastStatus
            // The first failure is the one to be told.
            try? groups.remove(withShared: true)
            throw status.isEmpty ? error : RuntimeError("\(error), last_cmd_status: \(status)")
        }
        return groups
    }

    private func makeGroup(_ groups: inout ResctrlGroups) throws(RuntimeError) {
        groups.joined = [group]
        guard makesGroup else {
            guard access(group, F_OK) == 0 else {
                throw RuntimeError(
                    "linux.intelRdt.closID: clos dir not accessible (must be pre-created when schemata, l3CacheSchema "
                        + "and memBwSchema are empty): \(group)")
            }
            return
        }
        let isNew = group == root ? false : try make(group, "closID")
        if isNew {
            if ownsGroup { groups.made = [group] } else { groups.shared = [group] }
            return
        }
        guard !expected.isEmpty else { return }
        let text = try attempt("linux.intelRdt") { () throws(KernelError) in
            String(decoding: try FileContents.read("\(group)/schemata"), as: UTF8.self)
        }
        if let line = mismatch(with: text) {
            let property = line.hasPrefix("MB:") ? "memBwSchema" : "l3CacheSchema"
            throw RuntimeError("linux.intelRdt.\(property): \(group) is there and does not have \"\(line)\"")
        }
    }

    /// Whether the directory was not there before.
    private func make(_ directory: String, _ property: String) throws(RuntimeError) -> Bool {
        try attempt("linux.intelRdt.\(property)") { () throws(KernelError) in
            do throws(KernelError) {
                try kernelCall("mkdir", directory) { mkdir(directory, 0o755) }
                return true
            } catch  where error.errno == .exists {
                return false
            }
        }
    }

    /// Why the kernel refused the last thing that was asked of the file system; empty where it says `ok` or nothing.
    private var lastStatus: String {
        // Without the reason there is still the error.
        let bytes = (try? FileContents.read("\(root)/info/last_cmd_status", limitBytes: 4096)) ?? []
        let text = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
        return text == "ok" ? "" : text
    }
}
