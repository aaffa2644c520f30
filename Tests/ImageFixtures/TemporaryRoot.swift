import Glibc
import Linux

/// A directory of a test's own, removed with all that is in it when the last reference goes.
package final class TemporaryRoot: Sendable {
    package let path: String

    /// - Parameter onTmpfs: in /dev/shm, which is a tmpfs, instead of the disk.
    package init(onTmpfs: Bool = false) throws {
        var template = Array("\(onTmpfs ? "/dev/shm" : "/tmp")/gantry-images-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError("mkdtemp", "", .accessDenied) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? Directory.removeTree(path)  // What stays is found by LeftoverTests.
    }

    package func make(_ name: String) throws -> String {
        try Directory.create("\(path)/\(name)")
        return "\(path)/\(name)"
    }

    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = try Descriptor.open("\(path)/\(name)", O_CREAT | O_TRUNC | O_WRONLY, mode: 0o644)
        defer { file.close() }
        try file.writeAll(bytes)
        return "\(path)/\(name)"
    }
}

/// A program of the machine, run to its end.
package enum Command {
    /// Whether the machine has the program; a test that needs it says so when it is skipped.
    package static func exists(_ name: String) -> Bool { find(name) != nil }

    package static func find(_ name: String) -> String? {
        ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"].map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// The exit status and what was said on both outputs. Blocking.
    @discardableResult
    package static func run(_ arguments: [String], in directory: String = "/") throws -> (status: Int32, text: String) {
        guard let program = find(arguments[0]) else { throw KernelError("find", arguments[0], .noSuchFile) }
        let (output, input) = try Descriptor.pipe()
        defer { output.close() }
        var spawn = Spawn(program: program, arguments: arguments)
        spawn.environment = ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LC_ALL=C.UTF-8"]
        spawn.descriptors = [nil, input, input]
        spawn.workingDirectory = directory
        let pid = try spawn.start()
        input.close()
        let text = String(decoding: try output.readAll(), as: UTF8.self)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        return (status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f, text)
    }

    /// The same, for what must succeed.
    package static func require(_ arguments: String..., in directory: String = "/") throws {
        let (status, text) = try run(arguments, in: directory)
        guard status == 0 else { throw CommandFailure(command: arguments.joined(separator: " "), output: text) }
    }
}

package struct CommandFailure: Error { let command: String, output: String }
