import Glibc
import Linux

/// The folders of CRIU's images, and of its log and statistics, opened. CRIU opens by name what is in it, follows links
/// there, and reads and writes with the rights of the runtime: a folder in which anybody else could have put something
/// is refused before CRIU is asked.
enum CriuFolder {
    /// A pre-dump's images, seen from those of the dump after it. CRIU makes the link itself.
    private static let parentName = "parent"
    /// How many dumps one upon the other are followed: more than a series of pre-dumps ever has, and no loop for ever.
    private static let parentsLimit = 64

    /// A folder of images, with those that it is based on.
    ///
    /// - Throws: what the kernel says of a path that leads to no directory; else the name of what is not this user's
    ///   alone, or no file, and why.
    static func images(_ path: String) throws(RuntimeError) -> OwnedDescriptor {
        let folder = try open(path)
        try checkImages(in: folder.descriptor, path, parentsLeft: parentsLimit)
        return folder
    }

    /// A folder that CRIU writes its log and statistics to, in which only these names matter: those of an earlier time
    /// are removed, because CRIU would write through a link.
    static func work(_ path: String, replacing names: [String]) throws(RuntimeError) -> OwnedDescriptor {
        let folder = try open(path)
        for name in names {
            do throws(KernelError) {
                try kernelCall("remove", PathName.joined(path, name)) {
                    unlinkat(folder.descriptor.rawValue, name, 0)
                }
            } catch  where error.errno == .noSuchFile {
                // As it should be.
            } catch {
                throw RuntimeError(error)
            }
        }
        return folder
    }

    private static func open(_ path: String) throws(RuntimeError) -> OwnedDescriptor {
        let folder = try attempt { () throws(KernelError) in
            OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        }
        try checkOwner(try attempt { () throws(KernelError) in try folder.descriptor.status() }, path)
        return folder
    }

    private static func checkImages(
        in folder: Descriptor, _ path: String, parentsLeft: Int
    ) throws(RuntimeError) {
        let names = try attempt { () throws(KernelError) in try Directory.list(in: folder) }
        for name in names.sorted() {
            let place = PathName.joined(path, name)
            var facts = stat()
            try attempt { () throws(KernelError) in
                try kernelCall("stat", place) { fstatat(folder.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) }
            }
            let isParent = name == parentName
            switch facts.st_mode & S_IFMT {
            // Where memory is fetched later, the socket of who serves it.
            case S_IFREG, S_IFDIR, S_IFSOCK: try checkOwner(facts, place)
            // The mode of a link says nothing.
            case S_IFLNK where isParent: try checkOwner(facts, place, isLink: true)
            case S_IFLNK: throw refusal(place, "it is a symbolic link")
            default: throw refusal(place, "it is no regular file")
            }
            if isParent { try checkParent(of: folder, place, parentsLeft: parentsLeft) }
        }
    }

    private static func checkParent(
        of folder: Descriptor, _ place: String, parentsLeft: Int
    ) throws(RuntimeError) {
        guard parentsLeft > 0 else { throw refusal(place, "too many images are based on others") }
        let parent = try attempt { () throws(KernelError) in
            OwnedDescriptor(try folder.open(parentName, O_RDONLY | O_DIRECTORY))
        }
        try checkOwner(try attempt { () throws(KernelError) in try parent.descriptor.status() }, place)
        try checkImages(in: parent.descriptor, place, parentsLeft: parentsLeft - 1)
    }

    private static func checkOwner(_ facts: stat, _ place: String, isLink: Bool = false) throws(RuntimeError) {
        guard facts.st_uid == geteuid() || facts.st_uid == 0 else {
            throw refusal(place, "it belongs to user \(facts.st_uid)")
        }
        guard isLink || facts.st_mode & 0o022 == 0 else {
            throw refusal(place, "others than its owner may write to it")
        }
    }

    private static func refusal(_ place: String, _ reason: String) -> RuntimeError {
        RuntimeError("refusing to hand `\(place)` to criu: \(reason)")
    }
}
