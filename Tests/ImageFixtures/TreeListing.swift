import CLinux
import Glibc
import Linux

/// Everything that can be seen of a tree, a line an entry, to compare two of them.
package enum TreeListing {
    /// Names are escaped, so that any bytes show. Hard links show by the first of their names.
    package static func lines(_ path: String, times: Bool = true) throws -> [String] {
        var found: [String] = []
        var inodes: [UInt64: String] = [:]
        try visit(Array(path.utf8CString), "", &found, &inodes, times)
        return found.sorted()
    }

    private static func visit(
        _ path: [CChar], _ shown: String, _ found: inout [String], _ inodes: inout [UInt64: String], _ times: Bool
    ) throws {
        var facts = stat()
        try kernelCall("stat", shown) { lstat(path, &facts) }
        var line = "\(shown.isEmpty ? "." : shown) \(String(facts.st_mode, radix: 8)) \(facts.st_uid):\(facts.st_gid)"
        let kind = facts.st_mode & S_IFMT
        if times { line += " \(facts.st_mtim.tv_sec)" }
        if kind == S_IFREG {
            if facts.st_nlink > 1 {
                let first = inodes[UInt64(facts.st_ino)] ?? shown
                inodes[UInt64(facts.st_ino)] = first
                line += " =\(first)"
            }
            line += " \(facts.st_size) \(try checksum(path))"
        }
        if kind == S_IFCHR || kind == S_IFBLK { line += " \(facts.st_rdev)" }
        if kind == S_IFLNK { line += " -> \(try target(path))" }
        found.append(line + (try attributes(path)))
        guard kind == S_IFDIR else { return }
        let directory = OwnedDescriptor(
            Descriptor(
                rawValue: try kernelCall("open", shown) { gantry_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }))
        for entry in try TreeRemoval.entries(of: directory.descriptor).sorted(by: {
            $0.name.lexicographicallyPrecedes($1.name)
        }) {
            let name = entry.name.dropLast().map { byte in
                let value = UInt8(bitPattern: byte)
                return (33...126).contains(value) ? String(UnicodeScalar(value)) : "\\\(value)"
            }.joined()
            try visit(path.dropLast() + [47] + entry.name, "\(shown)/\(name)", &found, &inodes, times)
        }
    }

    private static func checksum(_ path: [CChar]) throws -> UInt64 {
        let file = OwnedDescriptor(
            Descriptor(rawValue: try kernelCall("open") { gantry_open(path, O_RDONLY | O_CLOEXEC, 0) }))
        // FNV-1a: enough to tell files apart.
        return try file.descriptor.readAll(limitBytes: 1 << 30).reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
    }

    private static func target(_ path: [CChar]) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = try kernelCall("readlink") { readlink(path, &buffer, 4096) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func attributes(_ path: [CChar]) throws -> String {
        var names = [CChar](repeating: 0, count: 4096)
        let count = gantry_llistxattr(path, &names, names.count)
        guard count > 0 else { return "" }
        var text = ""
        for name in names.prefix(count).split(separator: 0).map({ Array($0) + [0] }).sorted(by: {
            $0.lexicographicallyPrecedes($1)
        }) {
            var value = [UInt8](repeating: 0, count: 4096)
            let size = gantry_lgetxattr(path, name, &value, value.count)
            let shown = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            text += " \(shown)=\(value.prefix(max(0, size)))"
        }
        return text
    }
}
