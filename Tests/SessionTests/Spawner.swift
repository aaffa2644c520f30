import Glibc
import Linux

/// Other programs than ours, run to their end.
enum Spawner {
    static func shell(_ script: String) -> Spawn { Spawn(program: "/bin/sh", arguments: ["sh", "-c", script]) }

    /// What a command writes to standard output and to standard error. The latter must fit into a pipe.
    static func output(of command: Spawn) throws -> (output: String, errors: String) {
        var command = command
        let output = try Descriptor.pipe()
        let errors = try Descriptor.pipe()
        defer {
            output.reading.close()
            errors.reading.close()
        }
        command.descriptors = [nil, output.writing, errors.writing]
        let started = Result { try command.start() }
        output.writing.close()
        errors.writing.close()
        let pid = try started.get()
        let bytes = try output.reading.readAll()
        let complaints = try errors.reading.readAll()
        waitpid(pid, nil, 0)
        return (String(decoding: bytes, as: UTF8.self), String(decoding: complaints, as: UTF8.self))
    }
}
