/// The members of a tar archive, found in its bytes as they come and without a disk: for who wants to know what is in an
/// archive, or to read one file of it. POSIX.1-2017 pax(1), "ustar Interchange Format" and "pax Extended Header"; GNU's
/// long names. A pure state machine.
package struct TarScan: Sendable {
    package enum Kind: Hashable, Sendable {
        case file, directory, link, other
    }

    /// What a header says.
    package struct Member: Hashable, Sendable {
        /// As the archive writes it: `etc/passwd`, `./etc/`.
        package var path: String
        package var kind: Kind
        package var sizeBytes: Int64
        /// As stat(2) has it, with the type.
        package var mode: UInt32
        package var modifiedAt: Timestamp
        package var linkTarget: String?
    }

    package enum Event: Hashable, Sendable {
        case member(Member)
        /// A piece of what the member before it holds.
        case contents([UInt8])
    }

    private enum State {
        case header
        /// Of a member, or of an extended header's text; then the padding.
        case contents(left: Int64, padding: Int, isExtension: UInt8?)
        case end
    }

    private static let block = 512
    /// No name and no attributes are longer; an archive that says so is none.
    private static let extensionLimit: Int64 = 1 << 20

    private var state = State.header
    private var buffer: [UInt8] = []
    private var extensionText: [UInt8] = []
    /// What extended headers said of the member that comes.
    private var longPath: String?
    private var longTarget: String?
    private var longSize: Int64?

    package init() {}

    /// The archive's end has come.
    package var isAtEnd: Bool {
        if case .end = state { return true }
        return false
    }

    /// Takes the next bytes; gives what became known by them.
    ///
    /// - Throws: `invalid` where they are no tar archive.
    package mutating func take(_ bytes: [UInt8]) throws(EngineError) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .end: return events
            case .header:
                let piece = rest.prefix(Self.block - buffer.count)
                buffer += piece
                rest = rest.dropFirst(piece.count)
                guard buffer.count == Self.block else { return events }
                let header = buffer
                buffer = []
                if let member = try read(header) { events.append(.member(member)) }
            case .contents(let left, let padding, let isExtension):
                let piece = rest.prefix(Int(min(left, Int64(rest.count))))
                rest = rest.dropFirst(piece.count)
                if isExtension != nil {
                    extensionText += piece
                } else if !piece.isEmpty {
                    events.append(.contents(Array(piece)))
                }
                let skipped = left == Int64(piece.count) ? min(padding, rest.count) : 0
                rest = rest.dropFirst(skipped)
                state = .contents(
                    left: left - Int64(piece.count), padding: padding - skipped, isExtension: isExtension)
                if left == Int64(piece.count), padding == skipped { try finish(isExtension) }
            }
        }
        return events
    }

    /// Nil for an extended header, and for the end.
    private mutating func read(_ header: [UInt8]) throws(EngineError) -> Member? {
        guard header.contains(where: { $0 != 0 }) else {
            state = .end
            return nil
        }
        let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(header[$1])) }
        guard Self.number(header[148..<156]) == Int64(sum), let size = Self.number(header[124..<136]), size >= 0 else {
            throw EngineError(.invalid, "the archive is no tar archive")
        }
        let type = header[156]
        if [0x78, 0x67, 0x4C, 0x4B].contains(type) {
            guard size <= Self.extensionLimit else { throw EngineError(.invalid, "the archive is no tar archive") }
            extensionText = []
            try expect(size, isExtension: type)
            return nil
        }
        let kind: Kind =
            switch type {
            case 0x30, 0, 0x37: .file
            case 0x35: .directory
            case 0x32: .link
            default: .other
            }
        let length = longSize ?? size
        let prefix = header[257..<262].elementsEqual("ustar".utf8) ? Self.text(header[345..<500]) : ""
        let name = Self.text(header[0..<100])
        let target = Self.text(header[157..<257])
        let member = Member(
            path: longPath ?? (prefix.isEmpty ? name : "\(prefix)/\(name)"), kind: kind, sizeBytes: length,
            mode: UInt32(truncatingIfNeeded: Self.number(header[100..<108]) ?? 0) & 0o7777 | Self.typeBits(type),
            modifiedAt: Timestamp(seconds: Self.number(header[136..<148]) ?? 0, nanoseconds: 0),
            linkTarget: kind == .link ? longTarget ?? target : nil)
        (longPath, longTarget, longSize) = (nil, nil, nil)
        try expect(kind == .file ? length : 0, isExtension: nil)
        return member
    }

    private mutating func expect(_ count: Int64, isExtension: UInt8?) throws(EngineError) {
        let padding = Int((512 - count % 512) % 512)
        state = .contents(left: count, padding: padding, isExtension: isExtension)
        if count == 0 { try finish(isExtension) }
    }

    private mutating func finish(_ isExtension: UInt8?) throws(EngineError) {
        state = .header
        switch isExtension {
        case 0x4C: longPath = Self.text(extensionText[...])
        case 0x4B: longTarget = Self.text(extensionText[...])
        case 0x78: try readRecords()
        default: break
        }
    }

    /// `LENGTH NAME=VALUE\n`, one after the other.
    private mutating func readRecords() throws(EngineError) {
        var rest = extensionText[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), let length = Int(Self.text(rest[..<space])),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw EngineError(.invalid, "the archive is no tar archive") }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            rest = rest.dropFirst(length)
            guard let sign = record.firstIndex(of: 0x3D) else { continue }
            let value = String(decoding: record[(sign + 1)...], as: UTF8.self)
            switch String(decoding: record[..<sign], as: UTF8.self) {
            case "path": longPath = value
            case "linkpath": longTarget = value
            case "size": longSize = Int64(value).flatMap { $0 >= 0 ? $0 : nil }
            default: break
            }
        }
    }

    /// Up to the first NUL.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or GNU's binary form.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
        if let first = bytes.first, first & 0x80 != 0 {
            return bytes.dropFirst().suffix(8).reduce(first == 0xFF ? -1 : 0) { $0 << 8 | Int64($1) }
        }
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func typeBits(_ type: UInt8) -> UInt32 {
        switch type {
        case 0x35: 0o040000
        case 0x32: 0o120000
        case 0x33: 0o020000
        case 0x34: 0o060000
        case 0x36: 0o010000
        default: 0o100000
        }
    }
}

extension PathArchive {
    /// What is directly in the directory that this archive is of, by name. Reads all of it: an archive tells of what is
    /// deeper in between. Docker's archive of `/etc/.` begins with the directory, as `./` or by its name; podman's has
    /// only what is in it.
    ///
    /// - Throws: `invalid` where it is of something else than a directory.
    package func directoryMembers(_ path: String) async throws(EngineError) -> [PathStat] {
        guard stat.isDirectory else { throw Self.isNoDirectory(path) }
        let own = Self.plain(path).split(separator: "/").last.map(String.init) ?? ""
        var scan = TarScan()
        var top: String?
        var members: [String: PathStat] = [:]
        do {
            for try await bytes in self.bytes {
                for case .member(let member) in try scan.take(bytes) {
                    let name = Self.plain(member.path)
                    if top == nil {
                        top = member.kind == .directory && name == own ? name : ""
                    }
                    guard let top else { continue }
                    let below =
                        top.isEmpty ? name : name.hasPrefix(top + "/") ? String(name.dropFirst(top.count + 1)) : ""
                    guard !below.isEmpty, !below.contains("/") else { continue }
                    members[below] = PathStat(
                        name: below, sizeBytes: member.sizeBytes, mode: member.mode, modifiedAt: member.modifiedAt,
                        linkTarget: member.linkTarget)
                }
            }
        } catch let error as EngineError {
            throw error
        } catch { throw EngineError(.cancelled, "cancelled") }
        return members.values.sorted { $0.name < $1.name }
    }

    package static func isNoDirectory(_ path: String) -> EngineError {
        EngineError(.invalid, "not a directory: \(path)", object: path)
    }

    /// Without the dot and the slashes around it.
    private static func plain(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// The first bytes of the file that this archive is of.
    ///
    /// - Throws: `invalid` where it is of something else than a file.
    package func fileContents(_ path: String, limitBytes: Int) async throws(EngineError) -> [UInt8] {
        var scan = TarScan()
        var contents: [UInt8] = []
        var isFound = false
        do {
            for try await bytes in self.bytes {
                for event in try scan.take(bytes) {
                    switch event {
                    case .member(let member):
                        guard !isFound else { return contents }
                        guard member.kind == .file else { throw EngineError(.invalid, "not a file: \(path)") }
                        isFound = true
                    case .contents(let piece): contents += piece.prefix(limitBytes - contents.count)
                    }
                }
                if contents.count >= limitBytes { return contents }
            }
        } catch let error as EngineError {
            throw error
        } catch { throw EngineError(.cancelled, "cancelled") }
        return contents
    }
}
