import EngineAPI

/// A directory of a container that is looked at.
struct FilePlace: Hashable, Sendable {
    let container: EngineAction.Target
    /// Absolute, without a slash at the end but for the root's own.
    let path: String

    /// A path below it, or the one above for `..`.
    func child(_ name: String) -> FilePlace { FilePlace(container: container, path: path(of: name)) }

    func path(of name: String) -> String {
        guard name == ".." else { return path == "/" ? "/\(name)" : "\(path)/\(name)" }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        return "/" + parent
    }

    /// What it is called in the directory above.
    var name: String { path.split(separator: "/").last.map(String.init) ?? "/" }
}

/// What is known of the directory that is looked at.
struct FileListing: Hashable, Sendable {
    var place: FilePlace
    /// Nil until the engine has answered.
    var members: [PathStat]?
    /// Why there are none.
    var failure: String?
    /// Paths that differ from the image, of the same container; nil until the engine has told them.
    var changes: [String: PathChange.Kind]?
}

/// A file's contents to be read.
struct FileRequest: Hashable, Sendable {
    static let limitBytes = 1 << 20

    var container: EngineAction.Target
    var path: String
    /// Tells one reading from the next.
    var serial: Int
}

/// A file being shown, or what a program has written.
struct FileScreen: Hashable, Sendable {
    /// Nil where nothing is asked for.
    let request: FileRequest?
    var pager: Pager
    /// The contents have come, or will not.
    var isRead = false

    init(_ request: FileRequest) {
        self.request = request
        pager = Pager(
            title: "\(request.container.name):\(request.path)", lines: [Pager.Line(text: "reading…", role: .muted)])
    }

    /// What is here already.
    init(_ title: String, _ bytes: [UInt8]) {
        (request, isRead) = (nil, true)
        pager = Pager(title: title, lines: FileText.lines(of: bytes))
    }

    mutating func show(_ result: Result<[UInt8], EngineError>) {
        isRead = true
        switch result {
        case .failure(let error): pager.lines = [Pager.Line(text: error.message, role: .error)]
        case .success(let bytes):
            pager.lines = FileText.lines(of: bytes)
            if bytes.count >= FileRequest.limitBytes {
                let size = Quantity.bytes(UInt64(FileRequest.limitBytes))
                pager.lines.append(
                    Pager.Line(text: "the first \(size) are shown; c in the list copies it", role: .warning))
            }
        }
    }
}

/// A file's bytes as lines: text as it is, anything else as hexadecimal digits.
enum FileText {
    /// What of a file that is no text is shown.
    static let hexLimit = 64 << 10

    static func lines(of bytes: [UInt8]) -> [Pager.Line] {
        guard !bytes.isEmpty else { return [Pager.Line(text: "the file is empty", role: .muted)] }
        guard !bytes.prefix(8192).contains(0) else { return hexLines(of: bytes) }
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let width = "\(lines.count)".count
        return lines.enumerated().map { index, line in
            let number = "\(index + 1)"
            let lead = String(repeating: " ", count: width - number.count) + number + "  "
            return Pager.Line(
                text: lead + String(decoding: EscapeText(Array(line)).plain, as: UTF8.self), leadCount: lead.count,
                leadRole: .muted)
        }
    }

    /// `00000010  7f 45 4c 46 …  .ELF…`
    private static func hexLines(of bytes: [UInt8]) -> [Pager.Line] {
        func hex(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var lines = stride(from: 0, to: min(bytes.count, hexLimit), by: 16).map { start in
            let row = bytes[start..<min(start + 16, bytes.count)]
            let digits = row.map { hex(Int($0), 2) }.joined(separator: " ")
            let fill = String(repeating: " ", count: max(0, 47 - digits.count))
            let letters = String(row.map { (0x20...0x7E).contains($0) ? Character(Unicode.Scalar($0)) : "." })
            return Pager.Line(text: "\(hex(start, 8))  \(digits)\(fill)  \(letters)", leadCount: 10, leadRole: .muted)
        }
        if bytes.count > hexLimit { lines.append(Pager.Line(text: "…", role: .muted)) }
        return lines
    }
}
