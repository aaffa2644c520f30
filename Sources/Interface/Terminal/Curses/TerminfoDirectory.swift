import Glibc

/// Where compiled terminfo entries lie, in the order of ncurses(3).
struct TerminfoDirectory {
    private let directories: [String]

    init(environment: [String: String]) {
        var directories: [String] = []
        if let own = environment["TERMINFO"], own.hasPrefix("/") { directories.append(own) }
        if let home = environment["HOME"], !home.isEmpty { directories.append(home + "/.terminfo") }
        let listed = environment["TERMINFO_DIRS"]?.split(separator: ":").map(String.init) ?? []
        directories += listed.filter { $0.hasPrefix("/") }
        self.directories = directories + ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"]
    }

    /// The first entry of `type` that can be read; nil where there is none.
    func entry(for type: String) -> TerminfoEntry? {
        guard let first = type.utf8.first, !type.contains("/"), type != "." else { return nil }
        let folders = [String(decoding: [first], as: UTF8.self), String(first, radix: 16)]
        for directory in directories {
            for folder in folders {
                let bytes = contents(of: "\(directory)/\(folder)/\(type)")
                if let entry = bytes.flatMap(TerminfoEntry.init(compiled:)) { return entry }
            }
        }
        return nil
    }

    private func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        // The format's own limit is 32 KiB.
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }
}
