import EngineAPI
import JSON

extension ImageLoadProgress {
    /// A line of the answer of `POST /images/load`. `gantry` tells a client of ours the name and id exactly.
    package var dockerBody: JSONValue {
        switch self {
        case .layer(let digest, let done, let total):
            var detail = JSONObject([("current", .integer(done))])
            if let total { detail["total"] = .integer(total) }
            return [
                "status": "Loading layer", "progressDetail": .object(detail), "id": .string(Self.short(digest)),
                "gantry": ["Digest": .string(digest)],
            ]
        case .loaded(let name, let id):
            let line = name.map { "Loaded image: \($0)\n" } ?? "Loaded image ID: \(id)\n"
            return ["stream": .string(line), "gantry": ["Name": name.map { .string($0) } ?? .null, "ID": .string(id)]]
        }
    }

    private static func short(_ digest: String) -> String {
        String((digest.split(separator: ":").last ?? "").prefix(12))
    }

    /// Reads a line of any engine; nil for one that tells of neither.
    package init?(dockerBody body: JSONValue) {
        let line = body.text("stream").split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        if let name = Self.rest(of: line, after: "Loaded image: ") ?? Self.rest(of: line, after: "Loaded image(s): ") {
            self = .loaded(name: name, id: body.field("gantry")?.text("ID") ?? "")
        } else if let id = Self.rest(of: line, after: "Loaded image ID: ") {
            self = .loaded(name: nil, id: id)
        } else if let detail = body.field("progressDetail"), let done = detail.whole("current") {
            let digest = body.field("gantry")?.filledText("Digest") ?? body.text("id")
            self = .layer(digest: digest, doneBytes: done, totalBytes: detail.whole("total"))
        } else {
            return nil
        }
    }

    private static func rest(of line: String, after start: String) -> String? {
        line.hasPrefix(start) ? String(line.dropFirst(start.count)) : nil
    }
}

/// An error in the middle of a stream of progress lines.
package enum ProgressError {
    package static func dockerBody(_ error: EngineError) -> JSONValue {
        [
            "errorDetail": ["message": .string(error.message), "kind": .string(error.kind.rawValue)],
            "error": .string(error.message),
        ]
    }

    /// The error that a line reports; nil for a line that reports none.
    package static func error(_ body: JSONValue) -> EngineError? {
        let detail = body.field("errorDetail")
        guard let message = detail?.filledText("message") ?? body.filledText("error") else { return nil }
        let kind = detail.flatMap { EngineError.Kind(rawValue: $0.text("kind")) }
        return EngineError(kind ?? .invalid, message, isAnswer: true)
    }
}

/// Cuts a stream of bytes into its lines. A pure value.
package struct LineSplitter: Sendable {
    private var pending: [UInt8] = []
    /// A line that grows beyond this is given out in pieces, so that no peer can fill the memory.
    package static let limitBytes = 16 << 20

    package init() {}

    /// The lines that are whole with these bytes, without their line ends; empty ones are left out.
    package mutating func feed(_ bytes: [UInt8]) -> [[UInt8]] {
        pending.append(contentsOf: bytes)
        var lines = pending.split(separator: 10).map(Array.init)
        if pending.last == 10 {
            pending = []
        } else {
            pending = lines.popLast() ?? []
        }
        if pending.count > Self.limitBytes { lines.append(finish()) }
        return lines.map { $0.last == 13 ? $0.dropLast() : $0 }
    }

    /// What is left at the end.
    package mutating func finish() -> [UInt8] {
        defer { pending = [] }
        return pending
    }
}
