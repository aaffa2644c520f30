import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Units and their properties as values, and the messages that carry them.
@Suite struct SystemdPlanTests {
    @Test(
        "A path of three parts names slice, prefix and unit",
        arguments: [
            (":gantry:abc", "gantry-abc.scope", "system.slice", "/system.slice/gantry-abc.scope"),
            ("a-b.slice:docker:x", "docker-x.scope", "a-b.slice", "/a.slice/a-b.slice/docker-x.scope"),
            ("-.slice::x", "x.scope", "-.slice", "/x.scope"),
            ("m.slice:p:n.slice", "n.slice", "m.slice", "/m.slice/n.slice"),
        ])
    func paths(_ text: String, _ unit: String, _ slice: String, _ path: String) throws {
        let scope = try SystemdScope(text, id: "id")
        #expect(scope.unit == unit && scope.slice == slice && scope.cgroupPath == path)
    }

    @Test("Without a path the container's id names the unit; a user's units are below its manager")
    func defaults() throws {
        #expect(try SystemdScope(nil, id: "id").cgroupPath == "/system.slice/gantry-id.scope")
        let user = "/user.slice/user-7.slice/user@7.service"
        #expect(
            try SystemdScope("", id: "id", manager: user, isRootless: true).cgroupPath
                == "\(user)/user.slice/gantry-id.scope")
        #expect(SystemdHost.userManager("1:x:/\n0::\(user)/app.slice/a.service\n", uid: 7) == user)
        #expect(SystemdHost.userManager("0::\(user)/app.slice/a.service\n", uid: 8) == nil)
    }

    @Test(
        "What is no such path, slice or name is refused",
        arguments: ["/gantry/x", "a:b", "a:b:c", "a--b.slice:x:y", "-a.slice:x:y", "s.slice:x:", "s.slice:x:a/b"])
    func refusals(_ text: String) {
        let error = #expect(throws: RuntimeError.self) { try SystemdScope(text, id: "id") }
        #expect(error?.message.hasPrefix("linux.cgroupsPath: ") == true)
    }

    @Test("Limits become properties")
    func properties() throws {
        let text = #"""
            {"memory":{"limit":100,"reservation":-1,"swap":150},
            "cpu":{"shares":1024,"quota":50001,"period":100000,"cpus":"0,9","mems":"0"},"pids":{"limit":-1},
            "blockIO":{"weight":10},"unified":{"memory.high":"max","cpu.weight":"7","misc.max":"x"}}
            """#
        let resources = try LinuxResources(RuntimeProperty(try JSONValue(parsing: Array(text.utf8))))
        let values = try SystemdProperties(resources).values.map { "\($0.name)=\($0.value)" }
        #expect(
            values == [
                "MemoryMax=uint64(100)", "MemoryLow=uint64(18446744073709551615)", "MemorySwapMax=uint64(50)",
                "CPUWeight=uint64(39)", "CPUQuotaPeriodUSec=uint64(100000)", "CPUQuotaPerSecUSec=uint64(510000)",
                "AllowedCPUs=array(of: \"y\", [Runtime.BusValue.byte(1), Runtime.BusValue.byte(2)])",
                "AllowedMemoryNodes=array(of: \"y\", [Runtime.BusValue.byte(1)])",
                "TasksMax=uint64(18446744073709551615)", "IOWeight=uint64(1)", "CPUWeight=uint64(7)",
                "MemoryHigh=uint64(18446744073709551615)",
            ])
    }

    @Test(
        "A property of version 2 that is no number of its kind is refused",
        arguments: [
            ("memory.max", "+9"), ("memory.max", "-1"), ("pids.max", ""), ("cpu.weight", "7x"), ("cpu.max", ""),
            ("cpu.max", "9 +9"), ("cpu.max", "9 x"), ("cpu.max", "9 9 9"), ("cpu.max", "x 9"),
        ])
    func unifiedRefusals(file: String, text: String) {
        var resources = LinuxResources()
        resources.unified = [file: text]
        let error = #expect(throws: RuntimeError.self) { try SystemdProperties(resources) }
        #expect(error?.message.hasPrefix("linux.resources.unified.\(file): `\(text)` is no ") == true)
    }

    @Test("A quota of more than systemd can count is the most that it can")
    func largeQuota() throws {
        let text = #"{"cpu":{"quota":211750175222111943,"period":1}}"#
        let resources = try LinuxResources(RuntimeProperty(try JSONValue(parsing: Array(text.utf8))))
        let values = try SystemdProperties(resources).values.map { "\($0.name)=\($0.value)" }
        #expect(
            values == ["CPUQuotaPeriodUSec=uint64(1)", "CPUQuotaPerSecUSec=uint64(\(UInt64.max / 10_000 * 10_000))"])
    }

    @Test("A message has the bytes of the specification")
    func bytes() throws {
        var message = BusMessage.call("Ping", of: "a.B", at: "/", on: nil, [.string("hi"), .byte(9)])
        message.serial = 2
        let expected: [UInt8] =
            [0x6C, 1, 0, 1, 8, 0, 0, 0, 2, 0, 0, 0, 0x38, 0, 0, 0]
            + [1, 1, 0x6F, 0, 1, 0, 0, 0, 0x2F, 0, 0, 0, 0, 0, 0, 0]
            + [2, 1, 0x73, 0, 3, 0, 0, 0, 0x61, 0x2E, 0x42, 0, 0, 0, 0, 0]
            + [3, 1, 0x73, 0, 4, 0, 0, 0, 0x50, 0x69, 0x6E, 0x67, 0, 0, 0, 0]
            + [8, 1, 0x67, 0, 2, 0x73, 0x79, 0]
            + [2, 0, 0, 0, 0x68, 0x69, 0, 9]
        let bytes = message.bytes
        #expect(bytes == expected)
        #expect(try BusMessage(bytes) == message)
    }

    @Test("What is written is read again, and no other bytes do harm")
    func reading() throws {
        var message = BusMessage(.signal)
        (message.path, message.interface, message.member) = ("/a", "b.C", "D")
        message.body = [
            .uint32(1), .path("/x"), .array(of: "(sv)", [.structure([.string("n"), .variant(.uint64(1 << 40))])]),
            .array(of: "s", []), .variant(.array(of: "y", [.byte(1)])), .bool(true), .int64(-3), .signature("a(ss)"),
        ]
        let bytes = message.bytes
        #expect(try BusMessage(bytes) == message)
        for count in 0..<bytes.count {
            #expect(throws: BusError.self) { try BusMessage(Array(bytes[..<count])) }
        }
        for signature in ["a()", "()", ")", "a", "(", "a{", "(s", "z", String(repeating: "a", count: 200) + "s"] {
            var reader = BusReader([UInt8](repeating: 1, count: 64)[...])
            #expect(throws: BusError.self, "\(signature)") { try reader.values(signature) }
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            // A value or an error: either will do.
            _ = try? BusMessage(changed)
        }
    }

    @Test("A bus takes this user, answers calls, and says why it does not")
    func conversation() throws {
        let daemon = "/usr/bin/dbus-daemon"
        guard access(daemon, X_OK) == 0 else {
            print("dbus is not installed: no bus to talk to")
            return
        }
        let folder = "/tmp/gantry-test-bus-\(getpid())"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        var spawn = Spawn(
            program: daemon,
            arguments: [
                "dbus-daemon", "--session", "--nofork", "--print-address=3", "--address=unix:path=\(folder)/bus",
            ])
        spawn.descriptors = [nil, nil, nil, writing]
        let pid = try spawn.start()
        writing.close()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        var line = [UInt8](repeating: 0, count: 200)
        // It listens once it has said where.
        #expect(try reading.read(into: &line) > 0)
        let bus = try BusConnection(path: "\(folder)/bus", isBus: true)
        let name = "org.freedesktop.DBus"
        let answer = try bus.call(
            .call("NameHasOwner", of: name, at: "/org/freedesktop/DBus", on: name, [.string(name)]))
        #expect(answer == [.bool(true)])
        let error = #expect(throws: BusError.self) {
            try bus.call(.call("Nothing", of: name, at: "/org/freedesktop/DBus", on: name))
        }
        guard case .answer(let kind, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(kind == "org.freedesktop.DBus.Error.UnknownMethod")
        let list = try bus.call(.call("ListNames", of: name, at: "/org/freedesktop/DBus", on: name))
        #expect(list.first?.signature == "as")
    }

    @Test("Without systemd its driver is refused", .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"))
    func absent() throws {
        guard access("/run/systemd/system", F_OK) != 0 else { return }
        let container = try TestContainer(.ours)
        try container.write()
        let result = try container.runtime.run(
            ["--systemd-cgroup", "create", container.id], root: container.root, in: container.bundle)
        #expect(result.code == 1 && result.errors.contains("systemd not running on this host"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
