import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// What a checkpoint's folder may hold that was put there by somebody else, for CRIU and the runtime to read or to write
/// through.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(1)))
struct ImageFolderTests {
    /// A folder of images and one for the log, which are gone with it.
    private final class Folders {
        let base: String
        var images: String { "\(base)/images" }
        var work: String { "\(base)/work" }

        init() throws {
            base = "/tmp/gantry-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            try Directory.create(images, mode: 0o700)
            try Directory.create(work, mode: 0o700)
            try add("inventory.img")
        }

        deinit { try? Directory.removeTree(base) }

        func add(_ name: String, in folder: String? = nil, _ text: String = "x", mode: mode_t = 0o600) throws {
            try FileContents.replace(
                "\(folder ?? images)/\(name)", with: Array(text.utf8), mode: mode, durable: false)
        }

        func expectRefused(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let error = #expect(throws: RuntimeError.self, sourceLocation: sourceLocation) {
                _ = try CriuFolder.images(images)
            }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        }
    }

    @Test("Images of this user's alone are taken, with the images that they are based on")
    func honest() throws {
        let folders = try Folders()
        try Directory.create("\(folders.base)/before", mode: 0o755)
        try folders.add("pages-1.img", in: "\(folders.base)/before", mode: 0o644)
        symlink("../before", "\(folders.images)/parent")
        let folder = try CriuFolder.images(folders.images)
        #expect(try Directory.list(in: folder.descriptor).sorted() == ["inventory.img", "parent"])
    }

    @Test("CVE-2026-53489: a link among the images is refused, which CRIU would follow to a file of the host")
    func symbolicLink() throws {
        let folders = try Folders()
        symlink("/etc/passwd", "\(folders.images)/pages-1.img")
        folders.expectRefused("/pages-1.img` to criu: it is a symbolic link")
    }

    @Test("A FIFO among the images is refused, at which CRIU would wait for ever")
    func fifo() throws {
        let folders = try Folders()
        mkfifo("\(folders.images)/core-1.img", 0o600)
        folders.expectRefused("/core-1.img` to criu: it is no regular file")
    }

    @Test("A device among the images is refused", arguments: [S_IFCHR, S_IFBLK])
    func device(kind: mode_t) throws {
        let folders = try Folders()
        // 1:3 is the null device, or the first memory disk.
        #expect(mknod("\(folders.images)/mm-1.img", kind | 0o600, 0x103) == 0)
        folders.expectRefused("/mm-1.img` to criu: it is no regular file")
    }

    @Test("A file of another user's is refused, and a folder of another's")
    func foreign() throws {
        let folders = try Folders()
        try folders.add("files.img")
        chown("\(folders.images)/files.img", 1000, 0)
        folders.expectRefused("/files.img` to criu: it belongs to user 1000")
        chown("\(folders.images)/files.img", 0, 0)
        chown(folders.images, 1000, 0)
        folders.expectRefused("/images` to criu: it belongs to user 1000")
    }

    @Test(
        "What others may write to is refused, be it a file or the folder",
        arguments: [0o620, 0o602, 0o666] as [mode_t])
    func writable(mode: mode_t) throws {
        let folders = try Folders()
        try folders.add("files.img", mode: mode)
        folders.expectRefused("/files.img` to criu: others than its owner may write to it")
        chmod("\(folders.images)/files.img", 0o600)
        chmod(folders.images, mode | 0o100)
        folders.expectRefused("/images` to criu: others than its owner may write to it")
    }

    @Test("The images that others are based on are looked at likewise, and a loop of them has an end")
    func parents() throws {
        let folders = try Folders()
        try Directory.create("\(folders.base)/before", mode: 0o700)
        symlink("../before", "\(folders.images)/parent")
        symlink("/etc/passwd", "\(folders.base)/before/pages-1.img")
        folders.expectRefused("/parent/pages-1.img` to criu: it is a symbolic link")
        unlink("\(folders.base)/before/pages-1.img")
        chmod("\(folders.base)/before", 0o777)
        folders.expectRefused("/parent` to criu: others than its owner may write to it")
        chmod("\(folders.base)/before", 0o700)
        symlink("../images", "\(folders.base)/before/parent")
        folders.expectRefused("too many images are based on others")
    }

    @Test("An old log and old statistics are removed, so that CRIU writes through no link of that name")
    func log() throws {
        let folders = try Folders()
        try folders.add("secret", in: folders.base, "the host's own")
        symlink("../secret", "\(folders.work)/restore.log")
        link("\(folders.base)/secret", "\(folders.work)/stats-restore")
        try folders.add("other", in: folders.work)
        _ = try CriuFolder.work(folders.work, replacing: ["restore.log", "stats-restore"])
        #expect(try Directory.list(folders.work) == ["other"])
        #expect(try FileContents.read("\(folders.base)/secret") == Array("the host's own".utf8))
        chmod(folders.work, 0o777)
        #expect(throws: RuntimeError.self) { _ = try CriuFolder.work(folders.work, replacing: []) }
    }

    @Test("An error is quoted from a log that CRIU wrote, and from no link, FIFO or device of its name")
    func quoting() throws {
        let folders = try Folders()
        let sink = try Folders()
        func quoted() throws -> String {
            try sink.add("log", in: sink.base, "")
            CriuLog(folder: folders.work, name: "restore.log").quote(in: LogOutput(path: "\(sink.base)/log"))
            return String(decoding: try FileContents.read("\(sink.base)/log"), as: UTF8.self)
        }
        try folders.add("restore.log", in: folders.work, "(1) Error (a.c:1): told\n")
        #expect(try quoted().contains("told"))
        unlink("\(folders.work)/restore.log")
        try folders.add("secret", in: folders.base, "Error: the host's own\n")
        symlink("../secret", "\(folders.work)/restore.log")
        #expect(try quoted() == "")
        unlink("\(folders.work)/restore.log")
        mkfifo("\(folders.work)/restore.log", 0o600)
        #expect(try quoted() == "")
    }

    @Test("The list of standard streams is read from no link, FIFO or device, and from no endless file")
    func streamsFile() throws {
        let folders = try Folders()
        func read() throws -> [String] {
            let folder = try Descriptor.open(folders.images, O_RDONLY | O_DIRECTORY)
            defer { folder.close() }
            return try StandardStreams(in: folder, called: "/images").targets
        }
        let place = "\(folders.images)/descriptors.json"
        try folders.add("descriptors.json", #"["/dev/null","pipe:[7]",""]"#)
        #expect(try read() == ["/dev/null", "pipe:[7]", ""])
        try folders.add("descriptors.json", "[" + String(repeating: " ", count: 1 << 20) + "]")
        #expect(throws: RuntimeError.self) { try read() }
        unlink(place)
        try folders.add("streams", in: folders.base, #"["/dev/null"]"#)
        symlink("../streams", place)
        #expect(throws: RuntimeError.self) { try read() }
        unlink(place)
        mkfifo(place, 0o600)
        #expect(throws: RuntimeError.self) { try read() }
        unlink(place)
        #expect(mknod(place, S_IFCHR | 0o600, 0x105) == 0)
        #expect(throws: RuntimeError.self) { try read() }
    }

    @Test(
        "More than three streams, or a pipe by another name than the kernel's, are refused",
        arguments: [
            (#"["","","","pipe:[1]"]"#, "4 descriptors"), (#"["pipe:[1]x"]"#, "no pipe's name"),
            (#"["xpipe:[1]"]"#, "no pipe's name"), (#"["pipe:[]"]"#, "no pipe's name"),
            (#"["pipe:[1"]"#, "no pipe's name"), (#"["pipe:[-1]"]"#, "no pipe's name"),
            (#"["pipe:[\u0661]"]"#, "no pipe's name"), (#"["pipe:[123456789012345678901]"]"#, "no pipe's name"),
            (#"[7]"#, "must be a string"), (#"{"0":"pipe:[1]"}"#, "must be an array"), (#"["#, "descriptors.json"),
        ])
    func streams(_ text: String, _ words: String) {
        let error = #expect(throws: RuntimeError.self) { try StandardStreams(parsing: Array(text.utf8)) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("Only pipes are handed to CRIU, each by its place in the list")
    func pipes() throws {
        let streams = try StandardStreams(parsing: Array(#"["/dev/pts/0","pipe:[4026]","socket:[9]"]"#.utf8))
        #expect(streams.pipes.map { "\($0.number)=\($0.name)" } == ["1=pipe:[4026]"])
    }

    @Test("Whether a masked path is a file is asked inside, whatever links the container has put on the way")
    func masks() throws {
        let folders = try Folders()
        // Outside there is a file of that name; inside, where the link leads, there is none.
        try folders.add("secret", in: folders.base)
        try Directory.create("\(folders.base)/root/proc")
        for name in ["keys", "sub"] { try Directory.create("\(folders.base)/root/proc/\(name)") }
        try folders.add("kcore", in: "\(folders.base)/root/proc")
        symlink(folders.base, "\(folders.base)/root/out")
        symlink("../../../../../../../../\(folders.base)", "\(folders.base)/root/up")
        symlink("/proc", "\(folders.base)/root/in")
        let root = OwnedDescriptor(try Descriptor.open("\(folders.base)/root", O_PATH | O_DIRECTORY))
        let files = ContainerDump.maskedFiles(
            ["/proc/kcore", "/proc/keys", "/out/secret", "/up/secret", "/in/kcore", "/missing"],
            in: RootedTree(root: root.descriptor))
        #expect(files == ["/proc/kcore", "/in/kcore"])
    }

    @Test("By the command, a folder with a link in it is refused before CRIU is run, and nothing is left")
    func command() throws {
        let folders = try Folders()
        symlink("/etc/passwd", "\(folders.images)/pstree.img")
        let container = try TestContainer(.ours)
        try container.write()
        // A program that cannot be run: CRIU is not come to.
        let words = ["--criu", "/nowhere/criu", "--root", container.root]
        let restored = try container.runtime.runPlain(
            words + ["restore", "--image-path", folders.images, container.id], in: container.bundle)
        #expect(restored.code == 1)
        #expect(restored.errors.contains("pstree.img` to criu: it is a symbolic link"), "\(restored.errors)")
        #expect(try container.leftovers() == [])
        try container.createAndStart()
        let saved = try container.runtime.runPlain(
            words + ["checkpoint", "--image-path", folders.images, container.id], in: container.bundle)
        #expect(saved.code == 1)
        #expect(saved.errors.contains("pstree.img` to criu: it is a symbolic link"), "\(saved.errors)")
        #expect(try container.status() == "running")
    }
}
