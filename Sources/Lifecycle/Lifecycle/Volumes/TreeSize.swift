import Glibc
import Linux

/// How much of the disk a tree takes. Blocking; follows no symbolic link.
enum TreeSize {
    /// Nil where it cannot be read. What goes meanwhile is not counted; a file of several names is, once.
    static func bytes(below path: String) -> Int64? {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return nil }
        var total: Int64 = 0
        var seen: Set<UInt64> = []
        var pending = [path]
        while let directory = pending.popLast() {
            // Gone since it was listed.
            for name in (try? Directory.list(directory)) ?? [] {
                let child = directory + "/" + name
                guard lstat(child, &facts) == 0 else { continue }
                if facts.st_nlink > 1, facts.st_mode & S_IFMT != S_IFDIR {
                    guard seen.insert(UInt64(facts.st_ino)).inserted else { continue }
                }
                total += Int64(facts.st_blocks) * 512
                if facts.st_mode & S_IFMT == S_IFDIR { pending.append(child) }
            }
        }
        return total
    }
}
