import AsyncIO
import EngineAPI
import Glibc
import Linux

/// Files of this machine, for who has no threads and archives of their own.
package enum MachineFiles {
    /// Copies a path of a container here. Errors are the engine's; those of this machine are `invalid`.
    package static func copyOut(
        _ engine: any Engine, _ reference: String, _ path: String, to target: String
    ) async throws(EngineError) {
        try await told { try await ContainerCopy(engine: engine, reference: reference).out(path, to: home(target)) }
    }

    /// Copies a path of this machine into a container.
    package static func copyIn(
        _ engine: any Engine, _ reference: String, _ source: String, to path: String
    ) async throws(EngineError) {
        try await told { try await ContainerCopy(engine: engine, reference: reference).into(path, from: home(source)) }
    }

    /// Writes a file, and the folders that it lacks; one that is there is replaced, and keeps its permissions.
    ///
    /// - Throws: `conflict` for a file that is there and not to be replaced, `invalid` for what else is wrong here.
    package static func save(_ path: String, _ contents: [UInt8], replacing: Bool) async throws(EngineError) {
        try await told {
            try await BlockingPool.shared.run {
                let path = home(path)
                var facts = stat()
                guard replacing || stat(path, &facts) != 0 || facts.st_mode & S_IFMT != S_IFREG else {
                    throw EngineError(.conflict, "`\(path)` is there already", object: path)
                }
                try Directory.create(PathName.split(path).parent)
                let file = try OutputFile(path, mode: 0o644)
                try file.descriptor.writeAll(contents)
                try file.finish()
            }
        }
    }

    /// The names in a directory that begin so, each with whether it is a directory, or leads to one.
    package static func list(
        _ directory: String, beginning: String
    ) async throws(EngineError) -> [(name: String, isDirectory: Bool)] {
        try await told {
            try await BlockingPool.shared.run {
                let path = home(directory)
                return try Directory.list(path).filter { $0.hasPrefix(beginning) }.map { name in
                    var facts = stat()
                    let isFound = stat(PathName.joined(path, name), &facts) == 0
                    return (name, isFound && facts.st_mode & S_IFMT == S_IFDIR)
                }
            }
        }
    }

    /// `~/` is a shell's word, and people type it here, too.
    private static func home(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
        return String(cString: home) + path.dropFirst(1)
    }

    private static func told<Result>(_ body: () async throws -> Result) async throws(EngineError) -> Result {
        do { return try await body() } catch let error as EngineError { throw error } catch is CancellationError {
            throw EngineError(.cancelled, "cancelled")
        } catch let error as UsageError {
            throw EngineError(.invalid, error.message)
        } catch { throw EngineError(.invalid, "\(error)") }
    }
}
