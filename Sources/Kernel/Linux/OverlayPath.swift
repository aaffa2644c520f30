/// Directories as overlayfs(5) takes them in its options: parted by colons, and with a backslash before each character of
/// a name that would mean something else there.
package enum OverlayPath {
    package static func escaped(_ path: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            if scalar == ":" || scalar == "," || scalar == backslash { text.append(backslash) }
            text.append(scalar)
        }
        return String(text)
    }

    package static func unescaped(_ text: String) -> String {
        var path = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            isEscaped = !isEscaped && scalar == backslash
            if !isEscaped { path.append(scalar) }
        }
        return String(path)
    }

    /// What `lowerdir=` lists, each part still escaped.
    package static func parts(_ list: some StringProtocol) -> [String] {
        var parts: [String] = []
        var part = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in list.unicodeScalars {
            if scalar == ":", !isEscaped {
                parts.append(String(part))
                part = String.UnicodeScalarView()
            } else {
                part.append(scalar)
            }
            isEscaped = !isEscaped && scalar == backslash
        }
        return (parts + [String(part)]).filter { !$0.isEmpty }
    }

    private static let backslash: Unicode.Scalar = "\\"
}
