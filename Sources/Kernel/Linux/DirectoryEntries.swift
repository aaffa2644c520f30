import Glibc

/// What is in a directory, one entry after the other: readdir(3).
final class DirectoryEntries {
    private let stream: OpaquePointer
    private let path: String

    /// - Parameters:
    ///   - descriptor: of the directory, opened for reading; this object's from here on.
    ///   - path: for messages.
    init(adopting descriptor: Descriptor, named path: String) throws(KernelError) {
        guard let stream = fdopendir(descriptor.rawValue) else {
            descriptor.close()
            throw KernelError("list", path, .inputOutput)
        }
        self.stream = stream
        self.path = path
    }

    deinit { closedir(stream) }

    /// The next one's name, a C string, and its type (`DT_DIR`); nil at the end. `.` and `..` are left out.
    ///
    /// - Throws: where the kernel cannot read on. What came until then is not all that there is.
    func next() throws(KernelError) -> (name: [CChar], type: UInt8)? {
        while let entry = try kernelNext("list", path, { readdir(stream) }) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                raw.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if name != [46, 0], name != [46, 46, 0] { return (name, entry.pointee.d_type) }
        }
        return nil
    }
}
