import Glibc
import Linux

/// How much the files of a tree hold. Blocking; follows no symbolic link.
enum FileSizes {
    /// What goes meanwhile is not counted; a file of several names is, once.
    static func sum(below path: String) throws(KernelError) -> Int64 {
        var total: Int64 = 0
        var seen: Set<UInt64> = []
        var pending = [path]
        while let directory = pending.popLast() {
            let names: [String]
            do throws(KernelError) { names = try Directory.list(directory) } catch {
                guard directory != path, error.errno == .noSuchFile || error.errno == .notDirectory else { throw error }
                continue
            }
            for name in names {
                var facts = stat()
                let child = directory + "/" + name
                guard lstat(child, &facts) == 0 else { continue }
                switch facts.st_mode & S_IFMT {
                case S_IFDIR: pending.append(child)
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
