/// How Go's templates write a text into a page, a script or an address (text/template, functions html, js and urlquery).
enum TemplateEscaping {
    static func html(_ text: String) -> String {
        let names: [Unicode.Scalar: String] = [
            "\0": "\u{FFFD}", "\"": "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;",
        ]
        return text.unicodeScalars.map { names[$0] ?? String($0) }.joined()
    }

    static func script(_ text: String) -> String {
        let names: [Unicode.Scalar: String] = [
            "\\": "\\\\", "'": "\\'", "\"": "\\\"", "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
        ]
        return text.unicodeScalars.map { scalar in
            if let name = names[scalar] { return name }
            guard scalar.value < 0x20 else { return String(scalar) }
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    /// A space becomes `+`; what is neither letter, digit nor one of `-_.~` becomes two digits for each byte.
    static func query(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            switch byte {
            case 48...57, 65...90, 97...122, 45, 95, 46, 126: return String(scalar)
            case 32: return "+"
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }.joined()
    }
}
