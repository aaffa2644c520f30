import Glibc
import Linux
import Testing

@testable import Rootless

/// What is decided before anything is made.
@Suite struct PlanTests {
    @Test(
        "A user's subordinate ids are those of its name and its number; other lines grant nothing",
        arguments: [
            ("ann:100000:65536\n", [(100_000, 65536)]),
            ("1000:100000:65536\nann:200000:10\nbob:300000:5\n", [(100_000, 65536), (200_000, 10)]),
            ("ann:1:\nann:x:1\nann:1:2:3\nann\n\n:1:1\n# ann:1:1\nann:5:0\n", []),
            ("ann:4294967295:1\nann:4294967295:2\nann:-1:5\n", [(4_294_967_295, 1)]),
            ("", []),
        ] as [(String, [(UInt32, UInt32)])])
    func subordinateIDs(text: String, ranges: [(UInt32, UInt32)]) {
        let found = SubordinateIDs(text: text, user: "ann", id: 1000)
        #expect(found.ranges == ranges.map { SubordinateIDs.Range(first: $0.0, count: $0.1) })
    }

    @Test("The user is root inside, and what it was granted follows without a gap and without an overlap")
    func maps() {
        let granted = { (text: String) in SubordinateIDs(text: text, user: "ann", id: 1000) }
        let plain = IDMap(own: 1000, granted: granted("ann:100000:65536\nann:400000:10\n"))
        #expect(plain.arguments == ["0", "1000", "1", "1", "100000", "65536", "65537", "400000", "10"])
        #expect(plain.lines == "0 1000 1\n1 100000 65536\n65537 400000 10\n")
        #expect(!plain.isSingle)
        // The kernel refuses a map that has an id twice.
        let twice = IDMap(own: 1000, granted: granted("ann:900:200\nann:5000:10\nann:5005:10\n"))
        #expect(twice.arguments == ["0", "1000", "1", "1", "5000", "10"])
        #expect(IDMap(own: 1000, granted: granted("")).isSingle)
        let many = (0..<500).map { "ann:\(100_000 + $0 * 10):5" }.joined(separator: "\n")
        #expect(IDMap(own: 1000, granted: granted(many)).extents.count == 340)
        let huge = IDMap(own: 1000, granted: granted("ann:100000:4294000000\nann:2000:2000000\n"))
        #expect(huge.extents.count <= 2)
    }

    @Test("State lies in the XDG directories, and what is not set has a sane place that is told")
    func places() throws {
        let full = ["XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/r", "XDG_CONFIG_HOME": "/c", "HOME": "/h"]
        let all = try UserPlaces(uid: 7, environment: { full[$0] }, isUsable: { _ in true })
        #expect(all.dataRoot == "/d/gantry" && all.runRoot == "/r/gantry" && all.note == nil)
        #expect(all.configurationPath == "/c/gantry/daemon.json")
        let bare = ["HOME": "/h", "XDG_DATA_HOME": "relative/is/ignored"]
        let session = try UserPlaces(uid: 7, environment: { bare[$0] }, isUsable: { $0 == "/run/user/7" })
        #expect(session.dataRoot == "/h/.local/share/gantry" && session.runRoot == "/run/user/7/gantry")
        #expect(session.configurationPath == "/h/.config/gantry/daemon.json")
        #expect(session.note?.contains("XDG_RUNTIME_DIR is not set") == true)
        let none = try UserPlaces(uid: 7, environment: { bare[$0] }, isUsable: { _ in false })
        #expect(none.runRoot == "/tmp/gantry-7")
        #expect(none.note?.contains("/tmp/gantry-7") == true)
        #expect(throws: RootlessFailure.self) {
            try UserPlaces(uid: 7, environment: { _ in nil }, isUsable: { _ in true })
        }
        #expect(UserPlaces(root: "/x").runRoot == "/x/run" && UserPlaces(root: "/x").dataRoot == "/x/data")
    }

    @Test("A run root that others can write to, or that is another's, is refused")
    func runRoot() throws {
        let path = "/tmp/gantry-places-\(getpid())"
        defer { try? Directory.removeTree(path) }  // Nothing can be done about it here.
        var places = UserPlaces(root: path)
        try places.prepare(uid: getuid())
        #expect(throws: RootlessFailure.self) { try places.prepare(uid: getuid() + 1) }
        chmod(places.runRoot, 0o770)
        #expect(throws: RootlessFailure.self) { try places.prepare(uid: getuid()) }
        symlink("/tmp", "\(path)/link")
        places.runRoot = "\(path)/link"
        #expect(throws: RootlessFailure.self) { try places.prepare(uid: getuid()) }
    }

    @Test(
        "What gantry and the holder say to each other comes out as it went in",
        arguments: [
            .unshared, .mapped, .user, .mount, .network(""), .network("pasta 169.254.1.1"),
            .network("none pasta: no route; slirp4netns: gone"), .failed("make it: no such file"),
        ] as [HolderMessage])
    func messages(message: HolderMessage) {
        #expect(HolderMessage(message.text) == message)
    }

    @Test("A message that is none of theirs is not understood, and a long failure is cut")
    func strangeMessages() {
        for text in ["", "users", "mappe", "\u{0}", "Network x"] { #expect(HolderMessage(text) == nil) }
        let long = HolderMessage.failed(String(repeating: "ä", count: 2000))
        #expect(long.text.utf8.count <= HolderMessage.limitBytes + 2)
    }
}
