import EngineAPI
import Glibc
import Linux

/// Finds the process that holds a port, where /proc tells. Blocking.
enum PortHolder {
    /// `nginx, process 1234`; nil where nobody is found: the socket is in another namespace, or the kernel's own.
    static func name(_ port: UInt16, _ transport: ContainerPort.Transport) -> String? {
        let inodes = Set(
            ["", "6"].flatMap { family in
                // A file that is missing names no holder.
                (try? FileContents.read("/proc/net/\(transport.rawValue)\(family)"))
                    .map { self.inodes(in: String(decoding: $0, as: UTF8.self), port: port) } ?? []
            })
        guard !inodes.isEmpty else { return nil }
        // A process that ends meanwhile holds nothing any more.
        for pid in ((try? Directory.list("/proc")) ?? []).compactMap({ Int32($0) }) {
            let directory = "/proc/\(pid)/fd"
            for name in (try? Directory.list(directory)) ?? [] {  // Gone, or not ours to look at.
                guard let target = linkTarget("\(directory)/\(name)"), target.hasPrefix("socket:["),
                    inodes.contains(String(target.dropFirst(8).dropLast()))
                else { continue }
                // As above: gone.
                guard let stat = try? ProcessStat.read(pid: pid) else { continue }
                return "\(stat.command), process \(pid)"
            }
        }
        return nil
    }

    /// proc_net_tcp's columns: number, local address in hexadecimal with the port behind a colon, …, inode the tenth.
    static func inodes(in table: String, port: UInt16) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, let digits = fields[1].split(separator: ":").last,
                UInt16(digits, radix: 16) == port, fields[9] != "0"
            else { return nil }
            return String(fields[9])
        }
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
