import Foundation
import Linux

/// A program that is run to its end.
///
/// Started by our own `Spawn`: it hands down no descriptors but three, so that no daemon which lives on keeps the pipe of
/// another program open.
struct Tool: Sendable {
    struct Result: Sendable {
        let code: Int32
        let output: String
        let errors: String
    }

    /// The directory of this build's programs.
    static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path

    static let gantry = "\(products)/gantry"
    static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    static func isThere(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The first of the usual places that has the program.
    static func find(_ name: String) -> String? {
        searchPath.split(separator: ":").map { "\($0)/\(name)" }.first(where: isThere)
    }

    /// The first number of docker's command line, 0 where it is not there: the words here are those of 23 and later.
    static let dockerMajor: Int = {
        guard let path = find("docker"), let file = try? file() else { return 0 }
        var status: Int32 = 0
        guard let pid = try? Tool(path: path, arguments: ["--version"]).start(nil, file.descriptor, nil) else {
            return 0
        }
        waitpid(pid, &status, 0)
        let words = ((try? text(file)) ?? "").split(separator: " ")
        return words.dropFirst(2).first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    }()

    let path: String
    var arguments: [String] = []
    var environment: [String: String] = [:]

    /// Starts it with those descriptors.
    func start(_ input: Descriptor?, _ output: Descriptor?, _ errors: Descriptor?) throws -> Int32 {
        var spawn = Spawn(program: path, arguments: [path] + arguments)
        let variables = ["PATH": Self.searchPath, "HOME": "/nonexistent"].merging(environment) { $1 }
        spawn.environment = variables.map { "\($0.key)=\($0.value)" }
        spawn.descriptors = [input, output, errors]
        return try spawn.start()
    }

    func run(input: String = "") async throws -> Result {
        let files = try (0..<3).map { _ in try Self.file() }
        try files[0].descriptor.writeAll(Array(input.utf8))
        lseek(files[0].descriptor.rawValue, 0, SEEK_SET)
        let pid = try start(files[0].descriptor, files[1].descriptor, files[2].descriptor)
        let code = await Self.wait(pid)
        return Result(code: code, output: try Self.text(files[1]), errors: try Self.text(files[2]))
    }

    /// Its exit code, or 128 and the signal that ended it.
    static func wait(_ pid: Int32) async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(pid, &status, 0) == -1, errno == EINTR {}
                continuation.resume(returning: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F)
            }
        }
    }

    /// A file without a name.
    private static func file() throws -> File {
        var template = Array("/tmp/gantry-tool-XXXXXX".utf8CString)
        let number = try kernelCall("mkstemp") { mkstemp(&template) }
        unlink(template)
        return File(descriptor: Descriptor(rawValue: number))
    }

    private final class File: Sendable {
        let descriptor: Descriptor

        init(descriptor: Descriptor) { self.descriptor = descriptor }

        deinit { descriptor.close() }
    }

    private static func text(_ file: File) throws -> String {
        lseek(file.descriptor.rawValue, 0, SEEK_SET)
        return String(decoding: try file.descriptor.readAll(), as: UTF8.self)
    }
}
