import Glibc
import Linux
import Shim

/// A directory of a test's own, removed with the files it was told of.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/gantry-lifecycle-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        guard made != nil else { throw KernelError("mkdtemp", "", .accessDenied) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // What stays is found by LeftoverTests.
        for name in (try? Self.names(path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }

    func write(_ name: String, _ text: String) throws {
        try put(name, text, O_CREAT | O_TRUNC | O_WRONLY)
    }

    func append(_ name: String, _ text: String) throws {
        try put(name, text, O_CREAT | O_APPEND | O_WRONLY)
    }

    private func put(_ name: String, _ text: String, _ flags: Int32) throws {
        let file = try Descriptor.open(path + "/" + name, flags, mode: 0o600)
        defer { file.close() }
        try file.writeAll(Array(text.utf8))
    }

    func remove(_ names: [String]) throws {
        for name in names { try kernelCall("unlink", name) { unlink(path + "/" + name) } }
    }

    /// As the shim packs an old file.
    func pack(_ name: String, keepingPlain: Bool = false) throws {
        let file = OwnedDescriptor(try Descriptor.open("\(path)/\(name)", O_RDONLY))
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        let packed = OwnedDescriptor(try Descriptor.open("\(path)/\(name).gz", flags, mode: 0o600))
        try PackingProcess.pack(file.descriptor, to: packed.descriptor)
        if !keepingPlain { try remove([name]) }
    }

    /// As the shim rotates: three files are kept.
    func rotate(_ name: String) throws {
        for form in ["", ".gz"] { unlink("\(path)/\(name).2\(form)") }
        for form in ["", ".gz"] { rename("\(path)/\(name).1\(form)", "\(path)/\(name).2\(form)") }
        try kernelCall("rename", name) { rename("\(path)/\(name)", "\(path)/\(name).1") }
    }

    private static func names(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw KernelError("opendir", path, .noSuchFile) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
