import Glibc
import JSON
import Linux

/// What the three standard streams of a container were when it was saved: `descriptors.json` beside CRIU's images, as
/// runc has it, a list of what /proc says the descriptors 0 to 2 are.
package struct StandardStreams: Hashable, Sendable {
    static let fileName = "descriptors.json"

    /// The links' targets: `pipe:[4026]`, `/dev/pts/0`, `/dev/null`, or empty for one that was closed.
    package var targets: [String]

    init(ofProcess pid: Int32) {
        targets = (0...2).map { number in
            var buffer = [CChar](repeating: 0, count: 4097)
            let count = readlink("/proc/\(pid)/fd/\(number)", &buffer, 4096)
            return String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// - Throws: for a file that no runtime has written: another kind of file, more than the three, or a pipe by
    ///   another name than the kernel's, which CRIU would be told to take for a descriptor that it has.
    /// - Parameter path: what the folder is called in complaints.
    init(in images: Descriptor, called path: String) throws(RuntimeError) {
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try FileContents.readRegular(Self.fileName, in: images, limitBytes: 1 << 16)
        } catch {
            throw RuntimeError(KernelError(error.operation, PathName.joined(path, Self.fileName), error.errno))
        }
        try self.init(parsing: bytes)
    }

    package init(parsing bytes: [UInt8]) throws(RuntimeError) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw RuntimeError("\(Self.fileName): \(error)")
        }
        guard let entries = json.array else { throw RuntimeError("\(Self.fileName): must be an array") }
        guard entries.count <= 3 else {
            throw RuntimeError("\(Self.fileName): \(entries.count) descriptors, where there are three standard streams")
        }
        targets = []
        for (number, entry) in entries.enumerated() {
            guard let target = entry.string else {
                throw RuntimeError("\(Self.fileName): [\(number)] must be a string")
            }
            guard !target.contains("pipe:") || Self.isPipe(target) else {
                throw RuntimeError("\(Self.fileName): [\(number)] `\(target)` is no pipe's name")
            }
            targets.append(target)
        }
    }

    /// Those that were pipes: what CRIU knows each by, and its number.
    package var pipes: [(name: String, number: Int32)] {
        targets.enumerated().filter { Self.isPipe($0.element) }.map { ($0.element, Int32($0.offset)) }
    }

    func write(in images: Descriptor) throws(RuntimeError) {
        let bytes = JSONValue.array(targets.map { .string($0) }).compactBytes
        try attempt { () throws(KernelError) in
            try FileContents.replace(Self.fileName, in: images, with: bytes, durable: false)
        }
    }

    private static func isPipe(_ target: String) -> Bool {
        guard target.hasPrefix("pipe:["), target.hasSuffix("]") else { return false }
        let number = target.utf8.dropFirst(6).dropLast()
        return (1...20).contains(number.count) && number.allSatisfy { (48...57).contains($0) }
    }
}
