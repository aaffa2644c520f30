import EngineAPI
import JSON

extension ImageTransferProgress {
    /// The lines of the answers of `POST /images/create` and `POST /images/{name}/push`. `gantry` tells a client of ours
    /// exactly what docker's words only hint at.
    package var dockerBodies: [JSONValue] {
        switch self {
        case .pulling(let repository, let tag):
            return [["status": .string("Pulling from \(repository)"), "id": .string(tag)]]
        case .pushing(let repository, let tag):
            let words = "The push refers to repository [\(repository)]"
            return [["status": .string(words), "gantry": ["Tag": .string(tag)]]]
        case .layer(let digest, let step): return [step.dockerBody(digest)]
        case .pulled(let digest, let name, let id, let isNew):
            let line = isNew ? "Downloaded newer image for \(name)" : "Image is up to date for \(name)"
            return [
                ["status": .string("Digest: \(digest)")],
                [
                    "status": .string("Status: \(line)"),
                    "gantry": ["Digest": .string(digest), "Name": .string(name), "ID": .string(id)],
                ],
            ]
        case .pushed(let tag, let digest, let size):
            return [
                ["status": .string("\(tag): digest: \(digest) size: \(size)")],
                [
                    "progressDetail": [:],
                    "aux": ["Tag": .string(tag), "Digest": .string(digest), "Size": .integer(size)],
                ],
            ]
        }
    }

    /// Reads a line of any engine; nil for one that tells nothing of its own.
    package init?(dockerBody body: JSONValue) {
        let status = body.text("status")
        if let aux = body.field("aux"), let digest = aux.filledText("Digest") {
            self = .pushed(tag: aux.text("Tag"), digest: digest, sizeBytes: aux.whole("Size") ?? 0)
        } else if let repository = Self.rest(of: status, after: "Pulling from ") {
            self = .pulling(repository: repository, tag: body.text("id"))
        } else if let rest = Self.rest(of: status, after: "The push refers to repository [") {
            self = .pushing(repository: String(rest.dropLast()), tag: body.field("gantry")?.text("Tag") ?? "")
        } else if let rest = Self.rest(of: status, after: "Status: ") {
            let exact = body.field("gantry")
            let name = exact?.text("Name") ?? rest.split(separator: " ").last.map(String.init) ?? ""
            self = .pulled(
                digest: exact?.text("Digest") ?? "", name: name, id: exact?.text("ID") ?? "",
                isNew: !rest.hasPrefix("Image is up to date"))
        } else if let id = body.filledText("id"), let step = ImageLayerStep(status, body.field("progressDetail")) {
            self = .layer(digest: body.field("gantry")?.filledText("Digest") ?? id, step)
        } else {
            return nil
        }
    }

    private static func rest(of line: String, after start: String) -> String? {
        line.hasPrefix(start) ? String(line.dropFirst(start.count)) : nil
    }
}

extension ImageLayerStep {
    fileprivate func dockerBody(_ digest: String) -> JSONValue {
        let (words, done, total) = wire
        var detail = JSONObject()
        if let done, let total { detail = JSONObject([("current", .integer(done)), ("total", .integer(total))]) }
        let short = String((digest.split(separator: ":").last ?? "").prefix(12))
        return [
            "status": .string(words), "progressDetail": .object(detail), "id": .string(short),
            "gantry": ["Digest": .string(digest)],
        ]
    }

    private var wire: (words: String, done: Int64?, total: Int64?) {
        switch self {
        case .waiting: ("Pulling fs layer", nil, nil)
        case .downloading(let done, let total): ("Downloading", done, total)
        case .verifying: ("Verifying Checksum", nil, nil)
        case .downloaded: ("Download complete", nil, nil)
        case .unpacking(let done, let total): ("Extracting", done, total)
        case .pulled: ("Pull complete", nil, nil)
        case .existing: ("Already exists", nil, nil)
        case .preparing: ("Preparing", nil, nil)
        case .pushing(let done, let total): ("Pushing", done, total)
        case .pushed: ("Pushed", nil, nil)
        case .pushExisting: ("Layer already exists", nil, nil)
        case .mounted(let repository): ("Mounted from \(repository)", nil, nil)
        }
    }

    fileprivate init?(_ words: String, _ detail: JSONValue?) {
        // No engine has done less than nothing, whatever it says.
        let done = max(0, detail?.whole("current") ?? 0)
        let total = max(0, detail?.whole("total") ?? 0)
        switch words {
        case "Waiting", "Pulling fs layer": self = .waiting
        case "Downloading": self = .downloading(doneBytes: done, totalBytes: total)
        case "Verifying Checksum": self = .verifying
        case "Download complete": self = .downloaded
        case "Extracting": self = .unpacking(doneBytes: done, totalBytes: total)
        case "Pull complete": self = .pulled
        case "Already exists": self = .existing
        case "Preparing": self = .preparing
        case "Pushing": self = .pushing(doneBytes: done, totalBytes: total)
        case "Pushed": self = .pushed
        case "Layer already exists": self = .pushExisting
        case _ where words.hasPrefix("Mounted from "): self = .mounted(from: String(words.dropFirst(13)))
        default: return nil
        }
    }
}
