import CLinux
import Glibc
import JSON
import Linux
import OCI

/// Runs hooks one after the other, each with the container's state on its standard input.
enum HookRunner {
    /// Stops at the first that fails: by its exit code, by a signal, or by taking longer than it may.
    static func run(_ hooks: [RuntimeHook], _ kind: String, state: JSONValue) throws(RuntimeError) {
        for (index, hook) in hooks.enumerated() {
            try step("error running \(kind) hook #\(index)") { () throws(RuntimeError) in
                try run(hook, state: state.compactBytes)
            }
        }
    }

    /// Runs all of them, and tells of those that failed: for hooks whose failure changes nothing any more.
    static func runAll(
        _ hooks: [RuntimeHook], _ kind: String, state: @autoclosure () -> JSONValue, log: LogOutput
    ) {
        for (index, hook) in hooks.enumerated() {
            do throws(RuntimeError) {
                try run(hook, state: state().compactBytes)
            } catch {
                log.warning("error running \(kind) hook #\(index): \(error)")
            }
        }
    }

    private static func run(_ hook: RuntimeHook, state: [UInt8]) throws(RuntimeError) {
        // Files in memory instead of pipes: nobody has to read while the hook runs.
        let input = OwnedDescriptor(try memoryFile("state", state))
        let output = OwnedDescriptor(try memoryFile("stdout", []))
        let complaints = OwnedDescriptor(try memoryFile("stderr", []))
        var spawn = Spawn(program: hook.path, arguments: hook.args.isEmpty ? [hook.path] : hook.args)
        spawn.environment = hook.env
        spawn.descriptors = [input.descriptor, output.descriptor, complaints.descriptor]
        let pid: Int32
        do throws(KernelError) {
            pid = try spawn.start()
        } catch {
            throw RuntimeError("fork/exec \(hook.path): \(error.errno)")
        }
        let end = try attempt { () throws(KernelError) in try wait(pid, timeoutSeconds: hook.timeoutSeconds) }
        guard let end else {
            throw RuntimeError("hook ran past specified timeout of \(hook.timeoutSeconds ?? 0).0s")
        }
        guard end != .exited(0) else { return }
        throw RuntimeError(
            "error running hook: \(end.words), stdout: \(contents(output.descriptor)), "
                + "stderr: \(contents(complaints.descriptor))")
    }

    /// Nil where the time was over and the hook was killed.
    private static func wait(_ pid: Int32, timeoutSeconds: Int32?) throws(KernelError) -> PidFD.End? {
        let process = OwnedDescriptor(try PidFD.open(pid: pid))
        let limit = timeoutSeconds.map { $0 > 2_000_000 ? 2_000_000_000 : $0 * 1000 } ?? -1
        let hasEnded = try PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: limit)
        if !hasEnded { try PidFD.send(SIGKILL, to: process.descriptor) }
        let end = try PidFD.reapTellingEnd(process.descriptor)
        return hasEnded ? end : nil
    }

    private static func memoryFile(_ name: String, _ bytes: [UInt8]) throws(RuntimeError) -> Descriptor {
        try attempt { () throws(KernelError) in
            let file = try Descriptor.memory(name)
            try file.writeAll(bytes)
            try kernelCall("seek") { lseek(file.rawValue, 0, SEEK_SET) }
            return file
        }
    }

    private static func contents(_ file: Descriptor) -> String {
        // The last of it tells why.
        let limit = 64 << 10
        lseek(file.rawValue, max(0, lseek(file.rawValue, 0, SEEK_END) - off_t(limit)), SEEK_SET)
        // What a failed hook said is an extra: without it, its exit code still tells.
        let bytes = (try? file.readAll(limitBytes: limit)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The `state` object of the specification.
    static func state(
        version: String, id: String, pid: Int32, status: String, bundle: String, annotations: TextMap
    ) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("ociVersion", .string(version)), ("id", .string(id)), ("status", .string(status)),
        ]
        if pid > 0 { members.append(("pid", .integer(Int64(pid)))) }
        members.append(("bundle", .string(bundle)))
        if !annotations.isEmpty { members.append(("annotations", annotations.json)) }
        return .object(JSONObject(members))
    }

    static func state(_ plan: ContainerPlan, pid: Int32, status: String) -> JSONValue {
        state(
            version: plan.spec.ociVersion, id: plan.id, pid: pid, status: status, bundle: plan.bundle,
            annotations: plan.spec.annotations)
    }

    static func state(_ record: ContainerRecord, status: String) -> JSONValue {
        state(
            version: record.ociVersion, id: record.id, pid: status == "stopped" ? 0 : record.pid, status: status,
            bundle: record.bundle, annotations: record.annotations)
    }
}

extension PidFD.End {
    /// As Go tells the end of a process.
    var words: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .killed(let signal, let dumpedCore):
            "signal: \(Signal.words(signal))\(dumpedCore ? " (core dumped)" : "")"
        }
    }
}
