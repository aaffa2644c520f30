import Glibc
import JSON
import Linux
import ShimAPI

/// Those who are in a user's namespaces and outlive their holder when that is killed: the engine and the containers' shims,
/// by what they have written down in the run root. Its successor enters where they are. Blocking, shortly.
struct Survivors {
    let runRoot: String

    /// Each as a pidfd.
    func open() -> [Descriptor] {
        (engine + shims).compactMap { one in
            guard isAlive(one) else { return nil }
            return try? PidFD.open(pid: one.pid, startTicks: one.startTicks)  // It may have ended since.
        }
    }

    /// The namespaces in which the first of them is; nil where nobody is left.
    ///
    /// A shim has a mount namespace of its own; but it was given the one in which it was started, to hold it.
    func namespaces() -> (user: Descriptor, mount: Descriptor)? {
        for one in engine { if let found = namespaces(of: one, mount: "/proc/\(one.pid)/ns/mnt") { return found } }
        for one in shims {
            guard let mount = heldMountNamespace(one.pid) else { continue }
            if let found = namespaces(of: one, mount: mount) { return found }
        }
        return nil
    }

    private func namespaces(of one: ShimProcess, mount path: String) -> (user: Descriptor, mount: Descriptor)? {
        // Whoever is gone has none.
        guard let user = try? Descriptor.open("/proc/\(one.pid)/ns/user", O_RDONLY) else { return nil }
        guard let mount = try? Descriptor.open(path, O_RDONLY) else {
            user.close()
            return nil
        }
        // Looked at afterwards: the number was that process's until then.
        if isAlive(one) { return (user, mount) }
        user.close()
        mount.close()
        return nil
    }

    private func heldMountNamespace(_ pid: Int32) -> String? {
        let folder = "/proc/\(pid)/fd"
        // As above.
        return ((try? Directory.list(folder)) ?? []).map { "\(folder)/\($0)" }.first { path in
            var text = [UInt8](repeating: 0, count: 32)
            return readlink(path, &text, text.count) > 0 && text.starts(with: Array("mnt:[".utf8))
        }
    }

    private func isAlive(_ one: ShimProcess) -> Bool {
        guard let stat = try? ProcessStat.read(pid: one.pid) else { return false }  // Gone.
        return stat.startTicks == one.startTicks && !stat.isEnded
    }

    private var engine: [ShimProcess] {
        // No engine has been there, or one of root's.
        let text = (try? FileContents.read("\(runRoot)/\(HolderFiles.engine)", limitBytes: 64)) ?? []
        let words = String(decoding: text, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let pid = Int32(words[0]), let ticks = UInt64(words[1]) else { return [] }
        return [ShimProcess(pid: pid, startTicks: ticks)]
    }

    private var shims: [ShimProcess] {
        let folder = "\(runRoot)/shims"
        // Without the folder there are none; a file that was cut short is of one that had not begun.
        return ((try? Directory.list(folder)) ?? []).sorted().compactMap { id in
            guard let bytes = try? FileContents.read("\(folder)/\(id)/\(InitRecord.fileName)", limitBytes: 1 << 16),
                let json = try? JSONValue(parsing: bytes)
            else { return nil }
            return InitRecord(json: json)?.shim
        }
    }
}
