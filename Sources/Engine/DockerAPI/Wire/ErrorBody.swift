import EngineAPI
import JSON

/// The one table between kinds of errors and HTTP statuses.
package enum ErrorStatus {
    private static let table: [(kind: EngineError.Kind, status: Int)] = [
        (.notFound, 404), (.conflict, 409), (.invalid, 400), (.denied, 403), (.unavailable, 503), (.unsupported, 501),
        (.notModified, 304), (.commandNotFound, 400), (.commandNotExecutable, 400), (.internal, 500), (.cancelled, 499),
    ]

    package static func status(_ kind: EngineError.Kind) -> Int { table.first { $0.kind == kind }?.status ?? 500 }

    /// The kind that a status stands for. The message parts what shares a status, by the words that docker's CLI looks
    /// for when it chooses an exit code.
    package static func kind(_ status: Int, message: String) -> EngineError.Kind {
        if status == 400 || status == 500, let kind = startFailure(message) { return kind }
        // Podman's words for what docker has a status for.
        if status == 500, message.contains("container state improper") || message.contains("name is already in use") {
            return .conflict
        }
        switch status {
        case 401: return .denied
        case 400..<500: return table.first { $0.status == status }?.kind ?? .invalid
        case 304: return .notModified
        default: return table.first { $0.status == status }?.kind ?? .internal
        }
    }

    private static func startFailure(_ message: String) -> EngineError.Kind? {
        let text = message.lowercased()
        let isStart = text.contains("exec") || text.contains("runtime") || text.contains("stat ")
        guard isStart else { return nil }
        if text.contains("executable file not found") || text.contains("no such file or directory") {
            return .commandNotFound
        }
        return text.contains("permission denied") || text.contains("is a directory") ? .commandNotExecutable : nil
    }
}

extension EngineError {
    /// The field by which our daemon tells the kind exactly; other servers do not send it.
    package static let kindField = "Gantry-Error-Kind"

    /// `{"message": …}`
    package var dockerBody: JSONValue { ["message": .string(message)] }

    /// The error that a server answered with.
    package init(status: Int, kindField: String?, body: [UInt8], object: String?) {
        let message = Self.message(body, status)
        if kindField == nil, status == 404 || status == 405, Self.noRoute.contains(message) {
            self.init(
                .unsupported, "this engine does not offer that: \(message)", object: object, isAnswer: true)
            return
        }
        let kind = kindField.flatMap(Kind.init(rawValue:)) ?? ErrorStatus.kind(status, message: message)
        self.init(kind, message, object: object, isAnswer: true)
    }

    /// What servers say where they have no such route, which is no word about the object that was asked for.
    private static let noRoute: Set = ["Not Found", "page not found", "404 page not found", "Method Not Allowed"]

    private static func message(_ body: [UInt8], _ status: Int) -> String {
        // A body that is no JSON is a proxy's or a very old server's: it is shown as it is.
        if let value = try? JSONValue(parsing: body) {
            if let message = value.filledText("message") ?? value.filledText("cause") { return message }
        }
        let text = String(decoding: body.prefix(512), as: UTF8.self)
        let words = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return words.isEmpty ? "the server answered with status \(status)" : words
    }
}
