import Glibc
import Linux

/// How much the files of a tree are. Blocking; follows no symbolic link, and what goes meanwhile is not counted.
package enum FileSizes {
    /// What regular files hold, and the words of links, as docker counts.
    static func sum(below path: String) throws(KernelError) -> Int64 {
        try sum(below: path) { [S_IFREG, S_IFLNK].contains($0.st_mode & S_IFMT) ? Int64($0.st_size) : 0 }
    }

    /// What all that is in the tree takes of the disk.
    package static func onDisk(below path: String) throws(KernelError) -> Int64 {
        try sum(below: path) { Int64($0.st_blocks).multipliedSaturated(by: 512) }
    }

    /// A file of several names counts once.
    private static func sum(below path: String, _ bytes: (stat) -> Int64) throws(KernelError) -> Int64 {
        let tree = try WalkedTree(path)
        var total: Int64 = 0
        var seen: Set<UInt64> = []
        var pending: [[UInt8]] = [[]]
        while let directory = pending.popLast() {
            for (name, facts) in try tree.entries(of: directory) ?? [] {
                let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
                if isDirectory { pending.append(directory + [47] + name) }
                guard isDirectory || facts.st_nlink == 1 || seen.insert(UInt64(facts.st_ino)).inserted else { continue }
                // Files with holes may hold more together than can be counted.
                total = total.addingSaturated(bytes(facts))
            }
        }
        return total
    }
}
