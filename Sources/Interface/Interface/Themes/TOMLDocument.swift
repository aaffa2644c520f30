import CTOML
import Glibc
import JSON

/// A TOML document, read by toml++.
enum TOMLDocument {
    struct Failure: Error {
        /// With the line where that is known.
        let message: String
    }

    /// The document's members, as JSON.
    static func members(of text: String) throws(Failure) -> [(name: String, value: JSONValue)] {
        var text = text
        var reason = [CChar](repeating: 0, count: 256)
        var line: UInt32 = 0
        let json = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                gantry_toml_to_json($0.baseAddress, $0.count, &reason, reason.count, &line)
            }
        }
        guard let json else {
            let words = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Failure(message: "line \(line): \(words)")
        }
        defer { free(json) }
        do {
            let document = try JSONValue(parsing: Array(UnsafeRawBufferPointer(start: json, count: strlen(json))))
            return document.object?.members ?? []
        } catch {
            throw Failure(message: "\(error)")
        }
    }
}
