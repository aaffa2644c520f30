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
}
