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
        var kept: [UInt8] = []
        for component in Array(path.utf8).split(separator: 47) where !component.elementsEqual([46]) {
            if component.elementsEqual([46, 46]) {
                kept.removeSubrange((kept.lastIndex(of: 47) ?? 0)...)
            } else {
                kept.append(47)
                kept += component
            }
        }
        return kept.isEmpty ? "/" : String(decoding: kept, as: UTF8.self)
    }

    package static func joined(_ parent: String, _ child: String) -> String {
        if parent.isEmpty { return child }
        let rest = child.utf8.drop { $0 == 47 }
        if rest.isEmpty { return parent }
        let name = String(Substring(rest))
        return parent.utf8.last == 47 ? parent + name : parent + "/" + name
    }
}
