import Linux

/// The sizes of huge pages, in the words that cgroup files have in their names.
enum HugepageSizes {
    /// Those of this machine, sorted; none where the kernel has no huge pages.
    static func ofMachine() -> [String] {
        // A kernel without huge pages has no such directory.
        guard let names = try? Directory.list("/sys/kernel/mm/hugepages") else { return [] }
        return names.compactMap(name(of:)).sorted()
    }

    /// `hugepages-2048kB` as `2MB`.
    static func name(of directory: String) -> String? {
        guard directory.hasPrefix("hugepages-"), directory.hasSuffix("kB"),
            var size = UInt64(directory.dropFirst(10).dropLast(2))
        else { return nil }
        var units = ["KB", "MB", "GB", "TB"][...]
        while size >= 1024, size % 1024 == 0, units.count > 1 {
            size /= 1024
            units = units.dropFirst()
        }
        return units.first.map { "\(size)\($0)" }
    }

    /// Whether it is a size as cgroup files have it in their names: `64KB`, `2MB`, `1GB`.
    static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        let digits = bytes.prefix { (48...57).contains($0) }
        guard (1...10).contains(digits.count), digits.first != 48 else { return false }
        return ["KB", "MB", "GB", "TB"].contains(String(text.dropFirst(digits.count)))
    }
}
