import AsyncIO
import EngineAPI
import Glibc
import Linux

/// Where a command writes an archive to: a file, or standard output.
struct ArchiveOutput: CommandOptions {
    @Option("o|output", help: "The file; standard output without it.")
    var output: String?

    /// To be called before the engine is asked for anything.
    func refuseTerminal() throws {
        guard output == nil, Console.outputIsTerminal else { return }
        throw UsageError(message: "cowardly refusing to save to a terminal. Use the -o flag or redirect", code: 1)
    }

    /// Writes all of it. A file appears under its name once it is whole; a reader that goes away ends the writing.
    func write(_ archive: EngineStream<[UInt8]>) async throws {
        var mark: UnfinishedFile?
        // Before the file is there: none is left where the process ends in between.
        let file = try output.map { try OutputFile($0, mode: 0o600) { mark = UnfinishedFile($0) } }
        defer { withExtendedLifetime(mark) {} }
        while let bytes = try await archive.next() {
            guard let file else {
                guard try await Console.pass(bytes, to: .standardOutput) else { return }
                continue
            }
            try await BlockingPool.shared.run { () throws(KernelError) in try file.descriptor.writeAll(bytes) }
        }
        try file?.finish()
    }
}

/// A file that goes with the process where a signal ends that, for as long as this value lives. One at a time.
private final class UnfinishedFile: Sendable {
    /// Safety: set before the handlers are, and cleared after they are taken back, both by the one command that runs;
    /// otherwise read by the signals' handler alone. The text is never freed: the handler may be reading it.
    nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?

    /// Those that end the process where it says nothing: what is to be ignored, as by nohup(1), is ignored still.
    private let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].filter { number in
        var former = sigaction()
        sigaction(number, nil, &former)
        return former.__sigaction_handler.sa_handler == nil
    }

    init(_ path: String) {
        Self.path = strdup(path)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            if let path = UnfinishedFile.path { unlink(path) }
            signal(number, SIG_DFL)
            raise(number)
        }
        for number in signals { sigaction(number, &action, nil) }
    }

    deinit {
        for number in signals { signal(number, SIG_DFL) }
        Self.path = nil
    }
}

extension EngineStream<[UInt8]> {
    /// The bytes of a file, or of standard input for `-`; the file is open until the command's process ends.
    static func archive(at path: String) throws(KernelError) -> EngineStream {
        let file = path == "-" ? .standardInput : try Descriptor.open(path, O_RDONLY)
        return EngineStream {
            try await BlockingPool.shared.run { () throws(KernelError) -> [UInt8]? in
                var bytes = [UInt8](repeating: 0, count: 256 << 10)
                let count = try file.read(into: &bytes)
                return count > 0 ? Array(bytes[..<count]) : nil
            }
        }
    }
}
