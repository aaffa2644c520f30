import Glibc
import JSON
import Linux
import OCI

/// What a container is doing, asked of the kernel each time.
enum ContainerStatus: String {
    case created, running, paused, stopped

    static func of(_ record: ContainerRecord, in store: ContainerStore, _ layout: CgroupLayout) -> ContainerStatus {
        guard let process = record.process else { return .stopped }
        let cgroup = record.cgroup(in: layout)
        // A cgroup that cannot be asked is not frozen by us.
        if (try? cgroup.isFrozen()) == true { return .paused }
        // A process that runs its program does not wait, though another may have taken a copy of its gate; one that CRIU
        // has restored has executed nothing, and has no gate.
        let waits = process.hasNeverExecuted && StartGate.isWaiting(in: store.directory(of: record.id))
        return waits ? .created : .running
    }
}

extension ContainerRecord {
    /// The container's first process; nil where it has ended.
    var process: ProcessStat? {
        do throws(KernelError) {
            let process = try ProcessStat.read(pid: pid)
            return process.startTicks == startTicks && !process.isEnded ? process : nil
        } catch {
            // One that cannot be read is gone.
            return nil
        }
    }

    /// Whether there is nothing more to be waited for by `start`: the first process runs its program, or has ended.
    var isBeyondStart: Bool { process?.hasNeverExecuted != true }
}

extension ContainerRecord {
    /// The state as `state` and `list` print it.
    func stateJSON(_ status: ContainerStatus) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("ociVersion", .string(ociVersion)), ("id", .string(id)),
            ("pid", .integer(status == .stopped ? 0 : Int64(pid))), ("status", .string(status.rawValue)),
            ("bundle", .string(bundle)), ("rootfs", .string(rootfs)), ("created", .string(created)),
        ]
        if !annotations.isEmpty { members.append(("annotations", annotations.json)) }
        members.append(("owner", .string(ownerName)))
        return .object(JSONObject(members))
    }

    /// The name of the owner from passwd(5); the number where it has none. Read by hand, because the name service's
    /// libraries have no place in a program that is linked whole.
    var ownerName: String {
        // Without the file the number says as much.
        guard let bytes = try? FileContents.read("/etc/passwd", limitBytes: 1 << 20) else { return String(owner) }
        for line in bytes.split(separator: 10) {
            let fields = line.split(separator: 58, omittingEmptySubsequences: false)
            if fields.count > 2, String(decoding: fields[2], as: UTF8.self) == String(owner) {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return String(owner)
    }
}
