import EngineAPI

extension ContractCase {
    static let fileCases = [
        ContractCase("A tree copied out of one container and into another is the same there, running or stopped") {
            scene in
            let engine = scene.engine
            let script = "mkdir -p /d/sub; echo text > /d/sub/file; ln -s sub/file /d/link; chmod 750 /d; sync; "
            let from = try await scene.start(script + "echo ready; exec sleep 60")
            try await Self.waitForFile(engine, from, "/d/link")
            let into = try await scene.create("true")
            let maker = try await engine.copyOut(from, path: "/d")
            try expect(maker.stat.isDirectory && maker.stat.name == "d", "\(maker.stat)")
            try expectEqual(maker.stat.mode & 0o7777, 0o750)
            // /in is not there yet, and is no place to unpack to.
            try await expectRefusal(.notFound, "Could not find the file /in") {
                try await engine.copyIn(into, path: "/in", archive: maker.bytes, options: CopyOptions())
            }
            for state in ["running", "stopped"] {
                if state == "stopped" { try await engine.stop(from, signal: "KILL", timeoutSeconds: 5) }
                let target = try await scene.create("true")
                let archive = try await engine.copyOut(from, path: "/d")
                try await engine.copyIn(target, path: "/var", archive: archive.bytes, options: CopyOptions())
                let copied = try await engine.statPath(target, path: "/var/d/link")
                try expectEqual(copied.linkTarget, "/var/d/sub/file")
                let file = try await Self.bytes(try await engine.copyOut(target, path: "/var/d/sub/file").bytes)
                try expect(String(decoding: file, as: UTF8.self).contains("text\n"), "the file is not as it was")
            }
        },
        ContractCase("A directory is listed with what is directly in it, running or stopped, through a link, too") {
            scene in
            let engine = scene.engine
            let id = try await scene.start(
                "mkdir -p /d/sub/deep; echo text > /d/file; ln -s ../etc /d/link; ln -s d /to; chmod 4750 /d/file; "
                    + "touch /d/sub/deep/x; echo > /ready; exec sleep 60")
            try await Self.waitForFile(engine, id, "/ready")
            for state in ["running", "stopped"] {
                if state == "stopped" { try await engine.stop(id, signal: "KILL", timeoutSeconds: 5) }
                for path in ["/d", "/to", "d/"] {
                    let members = try await engine.listDirectory(id, path: path)
                    try expectEqual(members.map(\.name), ["file", "link", "sub"])
                    try expectEqual(members[0].sizeBytes, 5)
                    try expectEqual(members[0].mode & 0o7777, 0o4750)
                    try expectEqual(members[1].linkTarget, "../etc")
                    try expect(members[2].isDirectory && members[0].linkTarget == nil, "\(members)")
                }
                try expect(try await engine.listDirectory(id, path: "/").contains { $0.name == "d" }, "no /d in /")
                try await expectRefusal(.invalid, "not a directory: /d/file") {
                    _ = try await engine.listDirectory(id, path: "/d/file")
                }
                try await expectRefusal(.notFound, "Could not find the file") {
                    _ = try await engine.listDirectory(id, path: "/nowhere")
                }
            }
        },
        ContractCase("The root is copied out with all that is in it, under its own name") { scene in
            let id = try await scene.create("true")
            for path in ["/", "/etc/.."] {
                try expectEqual(try await scene.engine.statPath(id, path: path).name, "/")
            }
        },
        ContractCase("The root of what runs is copied out whole, but for what the kernel shows in it") { scene in
            let engine = scene.engine
            let id = try await scene.start("echo text > /file; exec sleep 60")
            try await Self.waitForFile(engine, id, "/file")
            let archive = try await Self.bytes(try await engine.copyOut(id, path: "/").bytes)
            try expect(archive.suffix(1024).allSatisfy { $0 == 0 }, "the end of the archive is missing")
            // Of a root the engines write `./file` or `/file`.
            let names = Self.names(archive).map { String($0.drop { "./".contains($0) }) }
            for name in ["proc/", "file", "bin/busybox"] { try expect(names.contains(name), "\(name) is missing") }
            for name in ["proc/1/", "proc/version", "sys/kernel/", "dev/null", "dev/pts/ptmx"] {
                try expect(!names.contains(name), "\(name) is copied")
            }
        },
        ContractCase("A name with a slash behind it is a directory's") { scene in
            let id = try await scene.start("echo file > /file; exec sleep 60")
            try await Self.waitForFile(scene.engine, id, "/file")
            for path in ["/file/", "/file/."] {
                // docker has a 500 for it, podman another one.
                let found = try? await scene.engine.statPath(id, path: path)
                try expect(found == nil, "\(path) is found")
            }
            try expectEqual(try await scene.engine.statPath(id, path: "/etc/").isDirectory, true)
        },
        ContractCase("A file's date may lie further away than nanoseconds can count") { scene in
            let engine = scene.engine
            let id = try await scene.start(
                "echo far >/near; touch -d '2300-01-01 00:00' /near; mv /near /far; exec sleep 60")
            try await Self.waitForFile(engine, id, "/far")
            try expectEqual(try await engine.statPath(id, path: "/far").name, "far")
            try expectEqual(try await Self.bytes(try await engine.copyOut(id, path: "/far").bytes).isEmpty, false)
        },
        ContractCase("A link in a container leads nowhere but into the container") { scene in
            let engine = scene.engine
            let id = try await scene.start(
                "ln -s / /up; ln -s ../../../etc /rel; echo mine > /etc/only-here; exec sleep 60")
            try await Self.waitForFile(engine, id, "/etc/only-here")
            for path in ["/up/etc/only-here", "/rel/only-here", "/up/../../rel/only-here"] {
                try expectEqual(try await engine.statPath(id, path: path).sizeBytes, 5)
            }
            try await expectRefusal(.notFound, "Could not find the file /up/etc/machine-absent") {
                _ = try await engine.copyOut(id, path: "/up/etc/machine-absent")
            }
        },
        ContractCase("What is read-only is not copied into") { scene in
            let engine = scene.engine
            let source = try await scene.start("echo a > /a; exec sleep 60")
            try await Self.waitForFile(engine, source, "/a")
            for isRunning in [true, false] {
                let id = try await scene.create("exec sleep 60") { spec in
                    var mount = MountSpec(.bind, source: "/etc", target: "/host")
                    mount.readOnly = true
                    spec.mounts = [mount]
                    spec.readOnlyRoot = true
                }
                if isRunning { try await engine.start(id) }
                for directory in ["/host", "/var"] {
                    let archive = try await engine.copyOut(source, path: "/a")
                    try await expectRefusal(.denied, "read-only") {
                        try await engine.copyIn(id, path: directory, archive: archive.bytes, options: CopyOptions())
                    }
                }
            }
        },
        ContractCase("What is copied into a volume of a container that does not run is in the volume") { scene in
            let engine = scene.engine
            let source = try await scene.start("mkdir /d; echo text > /d/file; echo a > /a; exec sleep 60")
            try await Self.waitForFile(engine, source, "/a")
            let volume = try await engine.createVolume(VolumeSpec(name: "contract-cp")).spec.name
            let mount = MountSpec(.volume, source: volume, target: "/data/volume")
            let idle = try await scene.create("[ -e /link ] || ln -s /data /link") { $0.mounts = [mount] }
            // Before its first start, and with a link on the way after it.
            for path in ["/data/volume", "/link/volume"] {
                let archive = try await engine.copyOut(source, path: path.hasPrefix("/link") ? "/a" : "/d/file")
                try await engine.copyIn(idle, path: path, archive: archive.bytes, options: CopyOptions())
                try await engine.start(idle)
                _ = try await engine.wait(idle, for: .notRunning)
            }
            try expectEqual(try await engine.statPath(idle, path: "/link/volume/file").sizeBytes, 5)
            let output = try await scene.run("cat /elsewhere/file /elsewhere/a") { spec in
                spec.mounts = [MountSpec(.volume, source: volume, target: "/elsewhere")]
            }
            try expectEqual(output.stdout, "text\na\n")
            let names = Self.names(try await Self.bytes(try await engine.copyOut(idle, path: "/data").bytes))
            try expectEqual(names.sorted(), ["data/", "data/volume/", "data/volume/a", "data/volume/file"])
            let exported = Self.names(try await Self.bytes(try await engine.export(idle)))
            try expect(!exported.contains("data/volume/file"), "the volume is exported with the root")
        },
        ContractCase("What a container has changed is told, and all of it exported") { scene in
            let engine = scene.engine
            let id = try await scene.start("echo x > /new; rm /etc/group; mkdir /dir; exit 0")
            _ = try await engine.wait(id, for: .notRunning)
            let changes = try await engine.changes(id)
            let told = changes.map { "\($0.kind) \($0.path)" }
            try expectEqual(told, ["added /dir", "modified /etc", "deleted /etc/group", "added /new"])
            let idle = try await scene.start("exit 0") { $0.mounts = [MountSpec(.tmpfs, target: "/etc/own")] }
            _ = try await engine.wait(idle, for: .notRunning)
            try expectEqual(try await engine.changes(idle).map(\.path), [])
            let archive = try await Self.bytes(try await engine.export(id))
            try expect(archive.count > 512 && archive.count % 512 == 0, "\(archive.count) bytes")
            try expect(Self.names(archive).contains("new"), "\(Self.names(archive).prefix(20))")
            try expect(!Self.names(archive).contains("etc/group"), "a deleted file is exported")
        },
        ContractCase("Only what does not run is pruned, by its labels") { scene in
            let engine = scene.engine
            let rest = try await scene.create("true") { $0.labels = ["contract-prune": "yes"] }
            let kept = try await scene.create("true") { $0.labels = ["contract-prune": "no"] }
            let alive = try await scene.start("exec sleep 60") { $0.labels = ["contract-prune": "yes"] }
            var filter = PruneFilter()
            filter.labels = ["contract-prune=yes"]
            try expectEqual(try await engine.pruneContainers(filter).removed, [rest])
            _ = try await engine.inspect(kept)
            _ = try await engine.inspect(alive)
        },
    ]

    private static func waitForFile(_ engine: any Engine, _ id: String, _ path: String) async throws {
        for _ in 0..<1000 {
            do throws(EngineError) {
                if try await engine.statPath(id, path: path).sizeBytes > 0 { return }
            } catch {
                if error.kind != .notFound { throw error }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw ContractFailure(description: "\(path) is never made")
    }

    private static func bytes(_ stream: EngineStream<[UInt8]>) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in stream { all += piece }
        return all
    }

    /// The names in the ustar headers of an archive.
    private static func names(_ archive: [UInt8]) -> [String] {
        var names: [String] = []
        var offset = 0
        while offset + 512 <= archive.count, archive[offset] != 0 {
            let header = archive[offset..<offset + 512]
            names.append(String(decoding: header.prefix(100).prefix { $0 != 0 }, as: UTF8.self))
            let digits = header.dropFirst(124).prefix(11)
            let size = digits.reduce(0) { $0 * 8 + Int($1 & 7) }
            offset += 512 + (size + 511) / 512 * 512
        }
        return names
    }
}
