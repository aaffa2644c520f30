import Glibc

/// Where themes are found: the user's folder, then beside the program, then the copies compiled into it.
package struct ThemeLibrary: Sendable {
    /// Folders, the first that has a file of the name wins.
    package var folders: [String]

    /// A library of these folders and the compiled-in themes.
    package init(folders: [String]) { self.folders = folders }

    /// `$XDG_CONFIG_HOME/gantry/themes` (or `~/.config/…`), `share/gantry/themes` beside the executable's folder, and the
    /// source tree's `Themes` where the program runs from a build folder in it.
    package init(environment: [String: String], executable: String) {
        folders = []
        let home = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        if let base = home ?? environment["HOME"].map({ "\($0)/.config" }) { folders.append("\(base)/gantry/themes") }
        let parts = executable.split(separator: "/")
        if parts.count > 1 {
            folders.append("/" + (parts.dropLast(2) + ["share/gantry/themes"]).joined(separator: "/"))
        }
        if let build = parts.firstIndex(of: ".build") {
            folders.append("/" + (parts[..<build] + ["Themes"]).joined(separator: "/"))
        }
    }

    /// `keys.toml` beside the user's own themes; nil for a user without a home.
    package var keyFilePath: String? { ownFile("keys.toml") }

    /// `commands.toml` there.
    package var commandFilePath: String? { ownFile("commands.toml") }

    private func ownFile(_ name: String) -> String? {
        guard let folder = folders.first, folder.hasSuffix("/gantry/themes") else { return nil }
        return folder.dropLast("themes".count) + name
    }

    /// Loads a theme by its name, or by a path (what holds a `/` or ends in `.toml`).
    ///
    /// - Throws: `ThemeError` where there is none of that name, it is no TOML, or it inherits from itself.
    /// - Returns: the theme, and one line for each thing in its files that was not understood.
    package func load(_ reference: String) throws(ThemeError) -> (theme: Theme, warnings: [String]) {
        var chain: [String] = []
        let file = try file(reference, &chain)
        return file.resolved(name: reference)
    }

    /// Names that `load` knows, sorted.
    package var names: [String] {
        var names = Set(EmbeddedThemes.texts.keys)
        for folder in folders {
            for entry in Self.entries(of: folder) where entry.hasSuffix(".toml") {
                names.insert(String(entry.dropLast(5)))
            }
        }
        return names.sorted()
    }

    private func file(_ reference: String, _ chain: inout [String]) throws(ThemeError) -> ThemeFile {
        guard !chain.contains(reference) else {
            throw ThemeError(message: "theme `\(reference)` inherits from itself")
        }
        chain.append(reference)
        let (text, path) = try source(of: reference)
        let file = try ThemeFile(parsing: text, path: path)
        guard let parent = file.inherits else { return file }
        return file.over(try self.file(parent, &chain))
    }

    private func source(of reference: String) throws(ThemeError) -> (text: String, path: String) {
        if reference.contains("/") || reference.hasSuffix(".toml") {
            guard let text = Self.read(reference) else {
                throw ThemeError(message: "theme `\(reference)`: no such file, or it cannot be read")
            }
            return (text, reference)
        }
        for folder in folders {
            let path = "\(folder)/\(reference).toml"
            if let text = Self.read(path) { return (text, path) }
        }
        if let text = EmbeddedThemes.texts[reference] { return (text, reference) }
        throw ThemeError(message: "no theme `\(reference)`; there are \(names.joined(separator: ", "))")
    }

    /// The file's text up to 256 KiB; nil where there is no such file.
    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func entries(of folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
