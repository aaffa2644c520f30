import Archive

/// A tar archive made in memory, member by member, also ones that no honest program would write.
package struct TarBytes {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ member: TarMember, _ contents: [UInt8] = []) {
        var member = member
        member.sizeBytes = UInt64(contents.count)
        var out: [UInt8] = []
        let sink = Sink()
        let writer = TarWriter<Never> { sink.bytes += $0 }
        writer.append(member, contents)
        out = sink.bytes
        bytes += out
    }

    package mutating func file(_ path: String, _ text: String = "", mode: UInt32 = 0o644) {
        add(TarMember(path, .file, mode: mode), Array(text.utf8))
    }

    package mutating func directory(_ path: String, mode: UInt32 = 0o755) {
        add(TarMember(path, .directory, mode: mode))
    }

    package mutating func link(_ path: String, to target: String, _ kind: TarMember.Kind = .symbolicLink) {
        var member = TarMember(path, kind, mode: 0o777)
        member.target = Array(target.utf8)
        add(member)
    }

    package mutating func raw(_ more: [UInt8]) { bytes += more }

    /// With the two empty blocks at the end.
    package var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private final class Sink { var bytes: [UInt8] = [] }
}
