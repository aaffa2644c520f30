import Glibc
import Linux
import Testing

/// The daemon as a service: what it tells whoever has started it.
struct DaemonServiceTests {
    /// What has come to a socket, line by line.
    private final class Heard {
        private let socket: Descriptor
        private(set) var lines: [String] = []

        init(_ socket: Descriptor) { self.socket = socket }

        func has(_ line: String, times: Int = 1) -> Bool {
            var message = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(socket.rawValue, &message, message.count, Int32(MSG_DONTWAIT)), count > 0 {
                lines += String(decoding: message[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
            }
            return lines.count { $0.hasPrefix(line) } >= times
        }
    }

    @Test("A daemon tells that it serves, reads its configuration anew, and ends; no other process speaks for it")
    func notifications() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let place = OwnedDescriptor(try Descriptor.open(bench.root, O_PATH | O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixDatagram.bind(in: place.descriptor, name: "notify", mode: 0o600))
        let heard = Heard(socket.descriptor)
        let daemon = try bench.start(["daemon"], environment: ["NOTIFY_SOCKET=\(bench.root)/notify"])
        #expect(eventually { heard.has("READY=1") }, "\(daemon.errors)")
        #expect(heard.has("STATUS=serving the engine of \(bench.root)/data"), "\(heard.lines)")
        try bench.succeed("run", "-d", "--network", "none", "gantry/starter", "sleep", "60")
        let shims = try Directory.list("/proc").filter { entry in
            // What has ended meanwhile is none.
            guard let bytes = try? FileContents.read("/proc/\(entry)/cmdline") else { return false }
            let words = String(decoding: bytes, as: UTF8.self)
            return words.contains("gantry-shim") && words.contains(bench.root)
        }
        #expect(!shims.isEmpty)
        for shim in shims {
            let environment = try FileContents.read("/proc/\(shim)/environ")
            #expect(!String(decoding: environment, as: UTF8.self).contains("NOTIFY_SOCKET"))
        }
        daemon.kill(SIGHUP)
        #expect(eventually { heard.has("READY=1", times: 2) }, "\(daemon.errors)")
        #expect(heard.has("RELOADING=1") && heard.has("MONOTONIC_USEC="), "\(heard.lines)")
        #expect(!heard.has("STOPPING=1"))
        daemon.kill(SIGTERM)
        #expect(daemon.ended() == 0)
        #expect(heard.has("STOPPING=1"), "\(heard.lines)")
    }

    @Test("Who ends all that is in the cgroup in which the daemon was started ends no container")
    func cgroupOfItsOwn() throws {
        let layout = try CgroupLayout.current()
        let service = "/gantry-service-\(getpid())"
        guard let directory = layout.unifiedDirectory(of: service) else { return }  // Version 1 alone.
        let bench = try SessionBench()
        try Directory.create(directory)
        defer {
            bench.close()
            #expect(eventually { rmdir(directory) == 0 })
        }
        let cgroup = OwnedDescriptor(try Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
        let daemon = try bench.start(["daemon"], cgroup: cgroup.descriptor)
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 }, "\(daemon.errors)")
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "600")
        try bench.succeed("exec", "web", "true")
        #expect(try Cgroup(path: service, layout: layout).processes() == [daemon.pid])
        let process = try bench.succeed("inspect", "-f", "{{.State.Pid}}", "web")
        let systemd = try String(decoding: FileContents.read("/proc/\(daemon.pid)/cgroup"), as: UTF8.self)
            .split(separator: "\n").first { $0.contains(":name=systemd:") }
        let initial = try #require(Int32(process))
        let shim = try ProcessStat.read(pid: initial).parent
        let place = try String(decoding: FileContents.read("/proc/\(shim)/cgroup"), as: UTF8.self)
            .split(separator: "\n")
        #expect(place.contains { $0.hasPrefix("0::/gantry-") && $0.hasSuffix("/shims") }, "\(place)")
        #expect(systemd == nil || place.contains { $0.contains(":name=systemd:/gantry-") && $0.hasSuffix("/shims") })

        try FileContents.write("1", to: "\(directory)/cgroup.kill")
        #expect(daemon.ended() == 137)
        #expect(try bench.succeed("ps", "--format", "{{.Names}} {{.State}}") == "web running")
        #expect(try bench.succeed("inspect", "-f", "{{.State.Pid}}", "web") == process)
        #expect(try bench.succeed("exec", "web", "echo", "here") == "here")
        try bench.succeed("rm", "-f", "web")
        // The engine's own cgroups go with its last container.
        let own = try #require(place.first { $0.hasPrefix("0::") }).dropFirst(3)
        #expect(access(try #require(layout.unifiedDirectory(of: String(own))), F_OK) != 0)
    }

    @Test("A daemon that stands by is ready, and says for whom; a manager that is gone is a complaint and no more")
    func standingBy() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let place = OwnedDescriptor(try Descriptor.open(bench.root, O_PATH | O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixDatagram.bind(in: place.descriptor, name: "notify", mode: 0o600))
        let heard = Heard(socket.descriptor)
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let daemon = try bench.start(["daemon"], environment: ["NOTIFY_SOCKET=\(bench.root)/notify"])
        #expect(eventually { heard.has("STATUS=standing by: process \(host.pid) hosts") }, "\(daemon.errors)")
        #expect(heard.has("READY=1"))
        unlink("\(bench.root)/notify")
        host.kill(SIGINT)
        #expect(host.ended() == 128 + SIGINT)
        #expect(eventually { daemon.errors.contains("tell the service manager") }, "\(daemon.errors)")
        try bench.succeed("volume", "create", "one")
        daemon.kill(SIGTERM)
        #expect(daemon.ended() == 0, "\(daemon.errors)")
    }
}
