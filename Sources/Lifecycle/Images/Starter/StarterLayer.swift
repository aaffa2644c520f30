import Archive
import Content

/// The one layer of the starter image: busybox, a link for each of its applets, and the files that programs expect.
/// The same busybox always gives the same bytes.
struct StarterLayer {
    let busybox: [UInt8]
    let applets: [String]

    private static let directories: [(path: String, mode: UInt32)] = [
        ("bin/", 0o755), ("dev/", 0o755), ("etc/", 0o755), ("home/", 0o755), ("proc/", 0o755), ("root/", 0o700),
        ("run/", 0o755), ("sys/", 0o755), ("tmp/", 0o1777), ("usr/", 0o755), ("var/", 0o755), ("var/log/", 0o755),
        ("var/spool/", 0o755), ("var/tmp/", 0o1777),
    ]
    private static let links = [
        ("sbin", "bin"), ("usr/bin", "../bin"), ("usr/sbin", "../bin"), ("var/run", "../run"),
    ]
    private static let files = [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"),
        ("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ("etc/profile", "export PS1='\\u@\\h:\\w\\$ '\n"),
    ]

    func write(to writer: BlobWriter) throws(ContentError) {
        let tar = TarWriter<ContentError> { (bytes) throws(ContentError) in try writer.write(bytes) }
        for directory in Self.directories {
            try tar.append(TarMember(directory.path, .directory, mode: directory.mode))
        }
        try append("bin/busybox", busybox, mode: 0o755, to: tar)
        for applet in applets.sorted() where applet != "busybox" {
            try append("bin/\(applet)", linkTo: "busybox", to: tar)
        }
        for (path, target) in Self.links { try append(path, linkTo: target, to: tar) }
        for (path, text) in Self.files { try append(path, Array(text.utf8), mode: 0o644, to: tar) }
        try tar.finish()
    }

    private func append(
        _ path: String, _ contents: [UInt8], mode: UInt32, to tar: TarWriter<ContentError>
    ) throws(ContentError) {
        var member = TarMember(path, .file, mode: mode)
        member.sizeBytes = UInt64(contents.count)
        try tar.append(member, contents)
    }

    private func append(_ path: String, linkTo target: String, to tar: TarWriter<ContentError>) throws(ContentError) {
        var member = TarMember(path, .symbolicLink, mode: 0o777)
        member.target = Array(target.utf8)
        try tar.append(member)
    }
}
