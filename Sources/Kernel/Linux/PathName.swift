/// A path as text: cutting and cleaning without asking the file system.
package enum PathName {
    /// The directory and the last component: `/a/b` is `/a` and `b`, `b` is `.` and `b`.
    package static func split(_ path: String) -> (parent: String, name: String) {
        var bytes = Array(path.utf8)[...]
        while bytes.count > 1, bytes.last == 47 { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: 47) else { return (".", String(decoding: bytes, as: UTF8.self)) }
        let name = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
        return (slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self), name)
    }

    /// An absolute path without `.`, `..` and empty components; `..` at the root stays there.
    package static func cleaned(_ path: String) -> String {
        var components: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        return "/" + components.joined(separator: "/")
    }

    package static func joined(_ parent: String, _ child: String) -> String {
        if parent.isEmpty { return child }
        let rest = child.drop { $0 == "/" }
        if rest.isEmpty { return parent }
        return parent.hasSuffix("/") ? parent + rest : "\(parent)/\(rest)"
    }
}
