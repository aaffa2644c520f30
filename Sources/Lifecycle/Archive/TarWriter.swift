import Glibc

/// A member to be written to a tar archive.
package struct TarMember: Sendable {
    /// The type byte of the ustar header.
    package enum Kind: UInt8, Sendable {
        case file = 48
        case hardLink, symbolicLink, characterDevice, blockDevice, directory, fifo
    }

    package var path: [UInt8]
    package var kind: Kind
    package var mode: UInt32
    package var userID: UInt64 = 0
    package var groupID: UInt64 = 0
    package var sizeBytes: UInt64 = 0
    /// Seconds since 1970.
    package var modified: Int64 = 0
    /// What a link leads to.
    package var target: [UInt8] = []
    package var device: (major: UInt64, minor: UInt64) = (0, 0)
    package var attributes: [(name: String, value: [UInt8])] = []

    package init(_ path: String, _ kind: Kind, mode: UInt32) {
        self.path = Array(path.utf8)
        self.kind = kind
        self.mode = mode
    }
}

/// Writes a tar archive: ustar headers (POSIX.1-1988), and pax records (POSIX.1-2001) for what does not fit in them. The
/// same members always give the same bytes. Used by one thread.
package struct TarWriter<Failure: Error> {
    private let sink: ([UInt8]) throws(Failure) -> Void

    package init(_ sink: @escaping ([UInt8]) throws(Failure) -> Void) { self.sink = sink }

    /// Writes a member with all its bytes, whose number `member.sizeBytes` must be.
    package func append(_ member: TarMember, _ contents: [UInt8] = []) throws(Failure) {
        precondition(member.sizeBytes == contents.count, "a member of \(member.sizeBytes) bytes with \(contents.count)")
        try begin(member)
        try sink(contents)
        try end(member)
    }

    /// Writes the header; the caller then gives the bytes to `write`, and ends the member by `end`.
    package func begin(_ member: TarMember) throws(Failure) {
        let records = paxRecords(member)
        if !records.isEmpty {
            try sink(header(Array("PaxHeaders/member".utf8), type: 120, member, size: UInt64(records.count)))
            try sink(records)
            try sink(padding(after: records.count))
        }
        try sink(header(member.path, type: member.kind.rawValue, member, size: member.sizeBytes))
    }

    package func write(_ contents: [UInt8]) throws(Failure) { try sink(contents) }

    package func end(_ member: TarMember) throws(Failure) {
        try sink(padding(after: Int(member.sizeBytes % 512)))
    }

    /// Writes the two empty blocks at the end.
    package func finish() throws(Failure) { try sink([UInt8](repeating: 0, count: 1024)) }

    private func padding(after count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (512 - count % 512) % 512) }

    private func header(_ path: [UInt8], type: UInt8, _ member: TarMember, size: UInt64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int, _ capacity: Int) {
            for (index, byte) in bytes.prefix(capacity).enumerated() { block[offset + index] = byte }
        }
        /// Octal digits up to the NUL that ends the field; what does not fit stands in a pax record.
        func number(_ value: UInt64, at offset: Int, _ capacity: Int) {
            let digits = String(fits(value, capacity) ? value : 0, radix: 8)
            put(String(repeating: "0", count: capacity - 1 - digits.count).utf8, at: offset, capacity)
            put(digits.utf8, at: offset + capacity - 1 - digits.count, capacity)
        }
        put(path, at: 0, 100)
        number(UInt64(member.mode), at: 100, 8)
        number(member.userID, at: 108, 8)
        number(member.groupID, at: 116, 8)
        number(size, at: 124, 12)
        number(UInt64(clamping: member.modified), at: 136, 12)
        put(Array("        ".utf8), at: 148, 8)
        block[156] = type
        put(member.target, at: 157, 100)
        put(Array("ustar\u{0}00".utf8), at: 257, 8)
        number(member.device.major, at: 329, 8)
        number(member.device.minor, at: 337, 8)
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        number(sum, at: 148, 7)
        return block
    }

    private func fits(_ value: UInt64, _ capacity: Int) -> Bool { value < 1 << (3 * UInt64(capacity - 1)) }

    private func paxRecords(_ member: TarMember) -> [UInt8] {
        var records: [UInt8] = []
        if member.path.count > 100 { records += record("path", member.path) }
        if member.target.count > 100 { records += record("linkpath", member.target) }
        if !fits(member.sizeBytes, 12) { records += record("size", Array("\(member.sizeBytes)".utf8)) }
        if !fits(member.userID, 8) { records += record("uid", Array("\(member.userID)".utf8)) }
        if !fits(member.groupID, 8) { records += record("gid", Array("\(member.groupID)".utf8)) }
        if member.modified < 0 || !fits(UInt64(clamping: member.modified), 12) {
            records += record("mtime", Array("\(member.modified)".utf8))
        }
        for attribute in member.attributes { records += record("SCHILY.xattr.\(attribute.name)", attribute.value) }
        return records
    }

    /// `LENGTH NAME=VALUE\n`, where the length counts its own digits.
    private func record(_ name: String, _ value: [UInt8]) -> [UInt8] {
        let rest = name.utf8.count + value.count + 3
        var length = rest + "\(rest)".utf8.count
        length = rest + "\(length)".utf8.count
        return Array("\(length) \(name)=".utf8) + value + [10]
    }
}
