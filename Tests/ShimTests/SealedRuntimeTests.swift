import Glibc
import Linux
import Testing

@testable import Shim

/// What the shim executes as the runtime, on the real kernel.
@Suite(.enabled(if: geteuid() == 0, "needs root, for mounts"))
struct SealedRuntimeTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/gantry-sealed-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? Directory.removeTree(folder) }  // LeftoverTests tells of what stays.
        try body(folder)
    }

    /// Puts a program in a path's place, as an update does.
    private func put(_ program: String, at path: String) throws {
        try FileContents.replace(path, with: try FileContents.read(program), mode: 0o755, durable: false)
    }

    private func code(_ sealed: SealedRuntime) throws -> Int32 {
        let pid = try Spawn(program: sealed.program, arguments: ["gantry-runtime"]).start()
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        return status >> 8 & 0xff
    }

    @Test("The runtime is executed by a path through which nobody can write to it")
    func readOnly() throws {
        try withFolder { folder in
            let path = folder + "/gantry-runtime"
            try put("/bin/true", at: path)
            let sealed = SealedRuntime(path)
            #expect(try code(sealed) == 0)
            #expect(throws: KernelError("open", sealed.program, Errno(rawValue: EROFS))) {
                try Descriptor.open(sealed.program, O_WRONLY).close()
            }
        }
    }

    @Test("A newer runtime in its place is the one that is executed")
    func replaced() throws {
        try withFolder { folder in
            let path = folder + "/gantry-runtime"
            try put("/bin/true", at: path)
            let sealed = SealedRuntime(path)
            #expect(try code(sealed) == 0)
            try put("/bin/false", at: path)
            #expect(try code(sealed) == 1)
        }
    }

    @Test("Another runtime, and one that is not there, are executed by their own paths")
    func others() throws {
        try withFolder { folder in
            try put("/bin/true", at: folder + "/runc")
            #expect(SealedRuntime(folder + "/runc").program == folder + "/runc")
            #expect(SealedRuntime(folder + "/gantry-runtime").program == folder + "/gantry-runtime")
        }
    }
}
