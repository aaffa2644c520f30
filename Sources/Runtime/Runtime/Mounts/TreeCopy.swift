import CLinux
import Glibc
import Linux

/// Copies what a directory of the image holds into the tmpfs that will hide it (`tmpcopyup`).
enum TreeCopy {
    /// Both are directories, opened O_PATH; modes, owners and links are kept, devices and sockets left out.
    static func copy(from source: Descriptor, to destination: Descriptor) throws(KernelError) {
        let facts = try source.status()
        let opened = OwnedDescriptor(try destination.open(".", O_RDONLY | O_DIRECTORY))
        try copyOwner(facts, to: opened.descriptor)
        for name in try Directory.list(in: source) { try copyEntry(name, from: source, to: destination) }
    }

    private static func copyEntry(
        _ name: String, from source: Descriptor, to destination: Descriptor
    ) throws(KernelError) {
        var facts = stat()
        try kernelCall("stat", name) { fstatat(source.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) }
        switch facts.st_mode & S_IFMT {
        case S_IFDIR:
            try kernelCall("mkdir", name) { mkdirat(destination.rawValue, name, 0o700) }
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
            let inner = OwnedDescriptor(try source.open(name, flags))
            let made = OwnedDescriptor(try destination.open(name, flags))
            try copy(from: inner.descriptor, to: made.descriptor)
        case S_IFREG:
            let file = OwnedDescriptor(try source.open(name, O_RDONLY | O_NOFOLLOW))
            let made = OwnedDescriptor(
                try destination.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
            var chunk = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = try file.descriptor.read(into: &chunk)
                if count == 0 { break }
                try made.descriptor.writeAll(Array(chunk[..<count]))
            }
            try copyOwner(facts, to: made.descriptor)
        case S_IFLNK:
            var text = [CChar](repeating: 0, count: 4097)
            let count = try kernelCall("readlink", name) { readlinkat(source.rawValue, name, &text, 4096) }
            let target = Array(text[..<count]) + [0]
            try kernelCall("symlink", name) { symlinkat(target, destination.rawValue, name) }
            try kernelCall("chown", name) {
                fchownat(destination.rawValue, name, facts.st_uid, facts.st_gid, AT_SYMLINK_NOFOLLOW)
            }
        default: break
        }
    }

    private static func copyOwner(_ facts: stat, to made: Descriptor) throws(KernelError) {
        try kernelCall("chown") { fchown(made.rawValue, facts.st_uid, facts.st_gid) }
        try kernelCall("chmod") { fchmod(made.rawValue, facts.st_mode & 0o7777) }
    }
}
