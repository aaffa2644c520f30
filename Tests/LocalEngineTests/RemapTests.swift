import Archive
import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Containers whose ids are others on the host: docker's `userns-remap`.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct RemapTests {
    @Test("Root inside is nobody outside; files, volumes and the root's copies have the ids that belong there")
    func ids() async throws {
        try await Self.withRemapped { engine, bench in
            let script = """
                touch /made; mkdir /dir; touch /dir/deep; chown 33:44 /dir/deep; chown 33:44 /home; touch /data/own
                echo 10.0.0.1 other >> /etc/hosts; echo done > /dev/stdout; exec sleep 600
                """
            let id = try await bench.create(script, on: engine) { spec in
                spec.networkMode = .bridge
                spec.mounts = [
                    MountSpec(.volume, source: "new", target: "/data"),
                    MountSpec(.volume, source: "etc", target: "/etc"),
                ]
            }
            let stream = try await engine.attach(id, AttachRequest())
            try await engine.start(id)
            #expect(try await stream.read() == .stdout(Array("done\n".utf8)))
            let pid = try await engine.inspect(id).state.pid
            #expect(try Self.owner("/proc/\(pid)") == [300_000, 400_000])
            let map = try Self.text("/proc/\(pid)/uid_map").split { " \n".contains($0) }
            #expect(map == ["0", "300000", "65536"])
            // On the disk as the container sees them; as the container's on the way through its mounts.
            let disk = "\(bench.configuration.dataRoot)/snapshots/\(id)/fs"
            #expect(try Self.owner("\(disk)/made") == [0, 0])
            #expect(try Self.owner("\(disk)/dir/deep") == [33, 44])
            #expect(try Self.owner("/proc/\(pid)/root/dir/deep") == [300_033, 400_044])
            #expect(try Self.owner("/proc/\(pid)/root/bin/busybox") == [300_000, 400_000])
            // Volumes are the host's to see.
            let volumes = "\(bench.configuration.dataRoot)/volumes"
            #expect(try Self.owner("\(volumes)/new/_data") == [300_000, 400_000])
            #expect(try Self.owner("\(volumes)/new/_data/own") == [300_000, 400_000])
            #expect(try Self.owner("\(volumes)/etc/_data/passwd") == [300_000, 400_000], "copied up from the image")
            #expect(try await Self.members(try await engine.copyOut(id, path: "/dir").bytes)["dir/deep"] == [33, 44])
            #expect(try await Self.members(try await engine.copyOut(id, path: "/data").bytes)["data/own"] == [0, 0])
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            #expect(try await Self.members(try await engine.copyOut(id, path: "/dir").bytes)["dir/deep"] == [33, 44])
            #expect(try await Self.members(try await engine.copyOut(id, path: "/data").bytes)["data/own"] == [0, 0])
            #expect(try await Self.members(try await engine.export(id))["dir/deep"] == [33, 44])
            #expect(try await engine.info().securityOptions.contains("name=userns"))
        }
    }

    @Test("An image made of such a container is like any other, and --userns host leaves the ids as they are")
    func hostIDs() async throws {
        try await Self.withRemapped { engine, bench in
            let first = try await bench.create("touch /made; chown 5:6 /made", on: engine)
            try await engine.start(first)
            _ = try await engine.wait(first, for: .notRunning)
            _ = try await engine.commitContainer(first, ContainerCommitRequest(name: "made:1"))
            let script = "touch /own; [ $(stat -c %u:%g /made) = 5:6 ] && exec sleep 600"
            for (mode, root) in [(NamespaceMode.host, [0, 0]), (nil, [300_000, 400_000])] {
                let id = try await bench.create(script, on: engine) { spec in
                    spec.image = "made:1"
                    spec.userMode = mode
                }
                try await engine.start(id)
                let pid = try await engine.inspect(id).state.pid
                let own = "/proc/\(pid)/root/own"
                try await Self.eventually { access(own, F_OK) == 0 }
                #expect(try Self.owner(own) == root)
                #expect(try Self.owner("\(bench.configuration.dataRoot)/snapshots/\(id)/fs/own") == [0, 0])
                try await engine.remove(id, force: true, volumes: true)
            }
        }
    }

    @Test("What is copied in has the container's ids, into its root and its volumes, running or not")
    func copyIn() async throws {
        try await Self.withRemapped { engine, bench in
            let id = try await bench.create("exec sleep 600", on: engine) { spec in
                spec.mounts = [MountSpec(.volume, source: "data", target: "/data")]
            }
            let (disk, volume) = (
                "\(bench.configuration.dataRoot)/snapshots/\(id)/fs",
                "\(bench.configuration.dataRoot)/volumes/data/_data"
            )
            for (name, isRunning) in [("resting", false), ("running", true)] {
                if isRunning { try await engine.start(id) }
                for target in ["/", "/data"] {
                    try await engine.copyIn(
                        id, path: target, archive: try Self.archive(name, owner: [7, 8]), options: CopyOptions())
                }
                #expect(try Self.owner("\(disk)/\(name)") == [7, 8])
                #expect(try Self.owner("\(volume)/\(name)") == [300_007, 400_008])
            }
        }
    }

    @Test("Namespaces can be shared among such containers, and networks and devices work in them")
    func sharing() async throws {
        try await Self.withRemapped { engine, bench in
            let first = try await bench.create("exec sleep 600", name: "first", on: engine) { spec in
                spec.networkMode = .bridge
                spec.ipcMode = .shareable
            }
            try await engine.start(first)
            let script = """
                [ -d /sys/class/net/eth0 ] && echo > /dev/null && head -c 1 /dev/urandom > /dev/shm/x && exit 9; exit 1
                """
            let second = try await bench.create(script, on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "container:first")
                spec.pidMode = .container("first")
                spec.ipcMode = .container("first")
            }
            try await engine.start(second)
            #expect(try await engine.wait(second, for: .notRunning).exitCode == 9)
            let pid = try await engine.inspect(first).state.pid
            #expect(access("/proc/\(pid)/root/dev/shm/x", F_OK) == 0)
        }
    }

    @Test(
        "What only the host's root may do is refused in docker's words, unless the ids are the host's",
        arguments: [
            "privileged mode is incompatible with user namespaces.",
            "cannot share the host's network namespace when user namespaces are enabled",
            "cannot share the host PID namespace when user namespaces are enabled",
        ])
    func refused(words: String) async throws {
        try await Self.withRemapped { engine, bench in
            func change(_ spec: inout ContainerSpec) {
                if words.hasPrefix("priv") { spec.privileged = true }
                if words.contains("network") { spec.networkMode = .host }
                if words.contains("PID") { spec.pidMode = .host }
            }
            let error = await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) { change(&$0) }
            }
            #expect(error?.kind == .invalid && error?.message.hasPrefix(words) == true)
            let id = try await bench.create("exit 3", on: engine) { spec in
                change(&spec)
                spec.userMode = .host
            }
            try await engine.start(id)
            #expect(try await engine.wait(id, for: .notRunning).exitCode == 3)
        }
    }

    @Test(
        "Who may be named, and what is said of who may not",
        arguments: [
            ("alice", nil), ("default", nil), ("alice:staff", nil), ("1000:1000", nil), ("1000", nil),
            ("nobody", #"Error during uid lookup for "nobody": no such user"#),
            ("alice:nobody", #"Error during gid lookup for "nobody": no such group"#),
            ("77", "Uid 77 has no entry in /etc/passwd"), ("1000:77", "Gid 77 has no entry in /etc/group"),
            ("a:b:c", #"Invalid user/group specification in --userns-remap: "a:b:c""#),
            ("bob", #"Can't create ID mappings: no subuid ranges found for user "bob""#),
        ] as [(String, String?)])
    func names(setting: String, refusal: String?) async throws {
        let bench = try EngineBench()
        defer { try? Directory.removeTree(bench.root) }
        do {
            let engine = try await Self.open(bench, setting)
            #expect(refusal == nil)
            #expect(try await engine.info().securityOptions.contains("name=userns"))
            await engine.close()
        } catch {
            #expect("\(error)" == "\(bench.root)/daemon.json: \(refusal ?? "")")
        }
    }
}

extension RemapTests {
    @Test(
        "`default` makes docker's user, with ids that nobody has, and finds it again",
        .enabled(if: access("/usr/sbin/useradd", X_OK) == 0, "the package passwd is not installed"))
    func defaultUser() async throws {
        let bench = try EngineBench()
        defer { try? Directory.removeTree(bench.root) }
        let etc = "\(bench.root)/etc"
        for _ in 0..<2 {
            let engine = try await Self.open(bench, "default", hasDefaultUser: false)
            #expect(try await engine.info().securityOptions.contains("name=userns"))
            await engine.close()
        }
        let passwd = try Self.text("\(etc)/passwd").split(separator: "\n").filter { $0.hasPrefix("dockremap:") }
        #expect(passwd.count == 1 && passwd[0].hasSuffix(":/bin/false"), "\(passwd)")
        #expect(try Self.text("\(etc)/group").contains("dockremap:"))
        #expect(try Self.text("\(etc)/subuid").contains("dockremap:365536:65536"))
        #expect(try Self.text("\(etc)/subgid").contains("dockremap:765536:65536"))
    }

    private static func withRemapped(_ body: (GantryEngine, EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        do {
            let engine = try await open(bench, "alice")
            do { try await body(engine, bench) } catch {
                await engine.close()
                throw error
            }
            await engine.close()
        } catch {
            try await clear(bench)
            throw error
        }
        try await clear(bench)
    }

    private static func clear(_ bench: EngineBench) async throws {
        unlink(bench.configuration.configurationPath)
        try await bench.clear()
    }

    private static func open(
        _ bench: EngineBench, _ setting: String, hasDefaultUser: Bool = true
    ) async throws(GantryEngine.OpenError) -> GantryEngine {
        var configuration = bench.configuration
        configuration.accountsDirectory = "\(bench.root)/etc"
        do {
            try write(#"{"userns-remap": "\#(setting)"}"#, configuration.configurationPath)
            try Directory.create(configuration.accountsDirectory)
            for (name, text) in [
                ("passwd", "root:x:0:0::/:\nalice:x:1000:1000::/:\nbob:x:1001:1001::/:\ndockremap:x:99:99::/:\n"),
                ("group", "root:x:0:\nalice:x:1000:\nbob:x:1001:\nstaff:x:50:\ndockremap:x:99:\n"),
                ("subuid", "alice:300000:65536\ndockremap:500000:65536\n"),
                ("subgid", "alice:400000:65536\nstaff:700000:65536\ndockremap:500000:65536\n"),
            ] {
                let path = "\(configuration.accountsDirectory)/\(name)"
                guard !hasDefaultUser else {
                    try write(text, path)
                    continue
                }
                // What an earlier engine made of it stays.
                if access(path, F_OK) == 0 { continue }
                let lines = text.split(separator: "\n").filter { !$0.hasPrefix("dockremap:") }
                try write(lines.joined(separator: "\n") + "\n", path)
            }
        } catch { throw .failed(EngineError(.internal, "\(error)")) }
        return try await GantryEngine(configuration, note: { print("note: \($0)") })
    }

    private static func write(_ text: String, _ path: String) throws {
        try FileContents.replace(path, with: Array(text.utf8))
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try FileContents.read(path), as: UTF8.self)
    }

    private static func owner(_ path: String) throws -> [Int] {
        var facts = stat()
        try kernelCall("stat", path) { lstat(path, &facts) }
        return [Int(facts.st_uid), Int(facts.st_gid)]
    }

    /// The owners of an archive's members by their paths.
    private static func members(_ stream: EngineStream<[UInt8]>) async throws -> [String: [Int]] {
        var bytes: [UInt8] = []
        for try await part in stream { bytes += part }
        let (reading, writing) = try Descriptor.pipe()
        let archive = bytes
        async let sent: Void = EngineBench.blocking {
            defer { writing.close() }
            try writing.writeAll(archive)
        }
        let owners = try await EngineBench.blocking {
            defer { reading.close() }
            let limits = UnpackLimits()
            let reader = try TarReader(
                InflatingInput(DescriptorInput(reading), hash: nil, limits: limits), limits: limits)
            var owners: [String: [Int]] = [:]
            while let entry = try reader.next() {
                owners[String(decoding: entry.path, as: UTF8.self)] = [Int(entry.userID), Int(entry.groupID)]
            }
            // What writers put behind the end.
            var rest = [UInt8](repeating: 0, count: 65536)
            while try reading.read(into: &rest) > 0 {}
            return owners
        }
        try await sent
        return owners
    }

    /// An archive of one file.
    private static func archive(_ name: String, owner: [UInt64]) throws -> EngineStream<[UInt8]> {
        var bytes: [UInt8] = []
        let writer = TarWriter { (part) throws(ArchiveError) in bytes += part }
        var member = TarMember(name, .file, mode: 0o644)
        (member.userID, member.groupID) = (owner[0], owner[1])
        try writer.begin(member)
        try writer.end(member)
        try writer.finish()
        let whole = bytes
        return EngineStream(
            AsyncStream { stream in
                stream.yield(whole)
                stream.finish()
            })
    }

    private static func eventually(_ holds: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it does not come to that")
    }
}
