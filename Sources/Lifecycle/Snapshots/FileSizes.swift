import Glibc
import Linux

/// How much the files of a tree hold. Blocking; follows no symbolic link.
enum FileSizes {
    /// What goes meanwhile is not counted; a file of several names is, once.
    static func sum(below path: String) throws(KernelError) -> Int64 {
        let tree = try WalkedTree(path)
        var total: Int64 = 0
        var seen: Set<UInt64> = []
        var pending: [[UInt8]] = [[]]
        while let directory = pending.popLast() {
            for (name, facts) in try tree.entries(of: directory) ?? [] {
                switch facts.st_mode & S_IFMT {
                case S_IFDIR: pending.append(directory + [47] + name)
                case S_IFREG where facts.st_nlink == 1 || seen.insert(UInt64(facts.st_ino)).inserted:
                    // Files with holes may hold more together than can be counted.
                    total = total.addingSaturated(Int64(facts.st_size))
                default: break
                }
            }
        }
        return total
    }
}
