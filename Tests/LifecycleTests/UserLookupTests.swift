import CLinux
import EngineAPI
import Glibc
import Linux
import Snapshots
import Testing

@testable import Lifecycle

@Suite struct UserLookupTests {
    private static func lookup(passwd: String, group: String) -> UserLookup {
        UserLookup { (file) throws(EngineError) in Array((file == .passwd ? passwd : group).utf8) }
    }

    private static var lookup: UserLookup {
        lookup(
            passwd: "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34:w:/srv:/bin/sh\n1000:x:5:5::/odd:\n",
            group: "root:x:0:root\nwww:x:34:\nlog:x:4:syslog,web\naudio:x:29:web\n")
    }

    @Test(
        "Users and groups are found as runc finds them",
        arguments: [
            ("", 0, 0, [0], "/root"), ("root", 0, 0, [0], "/root"), ("web", 33, 34, [4, 29], "/srv"),
            ("33", 33, 34, [4, 29], "/srv"), ("web:www", 33, 34, [], "/srv"), ("web:77", 33, 77, [], "/srv"),
            ("4000", 4000, 0, [], "/"), ("4000:4001", 4000, 4001, [], "/"), ("1000", 1000, 0, [], "/"),
            (":www", 0, 34, [], "/root"),
        ] as [(String, UInt32, UInt32, [UInt32], String)])
    func found(user: String, uid: UInt32, gid: UInt32, groups: [UInt32], home: String) throws {
        let result = try Self.lookup.resolve(user)
        #expect(result.uid == uid && result.gid == gid && result.home == home)
        #expect(result.supplementaryGroups == groups)
    }

    @Test("Files that another system wrote are read, too")
    func otherLineEnds() throws {
        let lookup = Self.lookup(
            passwd: "root:x:0:0:root:/root:/bin/sh\r\nweb:x:33:34:w:/srv:/bin/sh\r\n",
            group: "root:x:0:\r\nlog:x:4:syslog,web\r\n")
        let result = try lookup.resolve("web")
        #expect((result.uid, result.gid, result.home) == (33, 34, "/srv") && result.supplementaryGroups == [4])
    }

    @Test(
        "The groups' file is read only where groups are asked for by name, or are the user's further ones",
        arguments: [("web:77", false), ("4000", false), ("4000:4001", false), ("web", true), ("4000:www", true)])
    func onlyWhatIsWanted(user: String, needsGroups: Bool) throws {
        var read: [UserLookup.File] = []
        let lookup = UserLookup { (file) throws(EngineError) in
            read.append(file)
            return Array((file == .passwd ? "web:x:33:34:w:/srv:/bin/sh\n" : "www:x:34:web\n").utf8)
        }
        _ = try lookup.resolve(user, additionalGroups: ["7"])
        #expect(read == (needsGroups ? [.passwd, .group] : [.passwd]))
    }

    @Test("Files of many lines are looked through, and more groups than a process can have are refused")
    func manyLines() throws {
        let passwd = (1...200_000).map { "u\($0):x:\($0):\($0)::/home/u\($0):\n" }.joined()
        let group = (1...70_000).map { "g\($0):x:\($0):a,u9,b\($0 == 5 ? ",u8" : "")\n" }.joined()
        let lookup = Self.lookup(passwd: passwd, group: group)
        #expect(try lookup.resolve("u200000").home == "/home/u200000")
        #expect(try lookup.resolve("u8").supplementaryGroups == [5])
        #expect(throws: EngineError(.invalid, "user u9 has more than 65536 groups")) { try lookup.resolve("u9") }
    }

    @Test("Who is not there is named")
    func absent() throws {
        #expect(throws: EngineError(.invalid, "unable to find user nobody: no matching entries in passwd file")) {
            try Self.lookup.resolve("nobody")
        }
        #expect(throws: EngineError(.invalid, "Unable to find group staff: no matching entries in group file")) {
            try Self.lookup.resolve("web:staff")
        }
        #expect(throws: EngineError(.invalid, "uids and gids must be in range 0-2147483647")) {
            try Self.lookup.resolve("4294967295")
        }
        #expect(try Self.lookup.resolve("web:www", additionalGroups: ["audio", "9"]).supplementaryGroups == [29, 9])
    }

    @Test("A file is found in the layers as overlayfs would show it, and never outside of them")
    func layers() throws {
        let directory = try TemporaryTree()
        let (upper, lower) = (directory.path + "/u", directory.path + "/l")
        try directory.file("l/etc/passwd", "lower")
        try directory.file("l/etc/group", "lower group")
        try directory.file("l/etc/shadow", "hidden")
        try directory.file("l/usr/lib/os", "os")
        try directory.file("u/etc/passwd", "upper")
        try kernelCall("mknod") { mknod(upper + "/etc/shadow", S_IFCHR | 0o600, 0) }
        try kernelCall("symlink") { symlink("../usr/lib/os", lower + "/etc/os") }
        try kernelCall("symlink") { symlink("../../../../../../etc/passwd", lower + "/etc/out") }
        try kernelCall("symlink") { symlink("loop", lower + "/etc/loop") }
        try directory.file("l/opt/a", "a")
        try directory.file("u/opt/b", "b")
        try kernelCall("setxattr") { setxattr(upper + "/opt", "trusted.overlay.opaque", "y", 1, 0) }
        let mount = SnapshotMount(
            type: "overlay", source: "overlay",
            options: ["lowerdir=\(lower):/nonexistent", "upperdir=\(upper)", "workdir=/x"])
        let root = LayeredRoot(mounts: [mount])
        func text(_ path: String) throws -> String { String(decoding: try root.contents(path), as: UTF8.self) }
        #expect(try text("etc/passwd") == "upper")
        #expect(try text("/etc/group") == "lower group")
        #expect(try text("etc/shadow") == "")
        #expect(try text("etc/os") == "os")
        // Leads outside by its text, but stays: the container's own file.
        #expect(try text("etc/out") == "upper")
        #expect(try text("opt/a") == "" && text("opt/b") == "b")
        #expect(try text("etc/passwd/x") == "" && text("etc") == "" && text("nowhere/x") == "")
        #expect(throws: KernelError.self) { try text("etc/loop") }
    }

    @Test("Layers are found by names that overlayfs takes escaped")
    func escapedLayers() throws {
        let directory = try TemporaryTree()
        for layer in ["u:1", "l,2", "l\\:3\\"] { try directory.file("\(layer)/etc/\(layer.first ?? " ")", layer) }
        try directory.file("l\\:3\\/etc/last", "last")
        let places = ["l,2", "l\\:3\\", "u:1"].map { OverlayPath.escaped("\(directory.path)/\($0)") }
        let root = LayeredRoot(mounts: [
            SnapshotMount(
                type: "overlay", source: "overlay",
                options: ["lowerdir=\(places[0]):\(places[1])", "upperdir=\(places[2])"])
        ])
        func text(_ path: String) throws -> String { String(decoding: try root.contents(path), as: UTF8.self) }
        #expect(try text("etc/u") == "u:1")
        #expect(try text("etc/l") == "l,2")
        #expect(try text("etc/last") == "last")
    }
}

/// A directory with a tree in it, removed as a whole.
private final class TemporaryTree {
    let path: String

    init() throws {
        var template = Array("/tmp/gantry-layers-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        guard made != nil else { throw KernelError("mkdtemp", "", .accessDenied) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // What stays is found by LeftoverTests.
    deinit { try? Directory.removeTree(path) }

    func file(_ name: String, _ text: String) throws {
        let full = path + "/" + name
        try Directory.create(PathName.split(full).parent)
        try FileContents.replace(full, with: Array(text.utf8), durable: false)
    }
}
