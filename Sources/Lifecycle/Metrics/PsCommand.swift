import AsyncIO
import EngineAPI
import Glibc
import Linux

/// docker's `top`: the host's ps(1) with the caller's options, of which the container's processes are kept.
package enum PsCommand {
    /// The table of the processes `pids`.
    ///
    /// - Parameter arguments: of ps(1); none means `-ef`. Where the machine has no ps, `-ef` is made from /proc.
    /// - Throws: `invalid` for options whose output has no pid column, and for what ps itself refuses.
    package static func table(arguments: [String], pids: Set<Int32>) async throws(EngineError) -> ProcessTable {
        let arguments = arguments.isEmpty ? ["-ef"] : arguments
        guard let program = installed else {
            guard arguments == ["-ef"] else {
                throw EngineError(.unsupported, "top: options need `ps`, which is not installed (package `procps`)")
            }
            return ProcessListing.full(of: pids)
        }
        let (status, output) = try await BlockingPool.shared.run { () throws(EngineError) in
            do throws(KernelError) { return try run(program, arguments) } catch {
                throw EngineError(.internal, "top: run `\(program)`: \(error)")
            }
        }
        guard status == 0 else {
            let reason = String(decoding: output.prefix { $0 != 10 }, as: UTF8.self)
            throw EngineError(.invalid, "top: ps \(arguments.joined(separator: " ")): \(reason)")
        }
        return try PsOutput.table(output, pids: pids)
    }

    private static var installed: String? {
        ["/usr/bin/ps", "/bin/ps"].first { access($0, X_OK) == 0 }
    }

    /// Runs ps and collects what it prints, complaints too. Blocks.
    private static func run(_ program: String, _ arguments: [String]) throws(KernelError) -> (Int32, [UInt8]) {
        let pipe = try Descriptor.pipe()
        let reading = OwnedDescriptor(pipe.reading)
        var spawn = Spawn(program: program, arguments: ["ps"] + arguments)
        // Wide, so that no command is cut; in a locale whose numbers and words do not vary.
        spawn.environment = ["PATH=/usr/bin:/bin", "COLUMNS=8192", "LC_ALL=C.UTF-8"]
        spawn.descriptors = [nil, pipe.writing, pipe.writing]
        let started = Result { () throws(KernelError) in try spawn.start() }
        pipe.writing.close()
        let pid = try started.get()
        // The child must be reaped whether its output could be read or not.
        let output = Result { () throws(KernelError) in try reading.descriptor.readAll(limitBytes: 16 << 20) }
        if case .failure = output { kill(pid, SIGKILL) }
        var status: Int32 = 0
        try kernelCall("wait for", "ps") { waitpid(pid, &status, 0) }
        return (status, try output.get())
    }
}
