import Glibc
import Linux
import NetworkRemains
import Testing

/// A machine that loses its power: processes, devices, rules, cgroups and the run root are gone, the data root is not.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct RebootSessionTests {
    private static let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"

    @Test("After a reboot networks and the containers that always restart are back, with addresses, names and ports")
    func reboot() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        try bench.succeed("network", "create", "--subnet", "10.213.20.0/24", "front")
        let port = try Self.freePort()
        try bench.succeed(
            "run", "-d", "--name", "web", "--restart", "always", "--network", "front", "-p", "\(port):80",
            "gantry/starter", "httpd", "-f", "-h", "/etc")
        try bench.succeed(
            "run", "-d", "--name", "base", "--restart", "unless-stopped", "--network", "front", "--ip", "10.213.20.77",
            "gantry/starter", "sleep", "1000")
        try bench.succeed("run", "-d", "--name", "once", "gantry/starter", "sleep", "1000")
        let before = try ["web", "base"].map { try bench.succeed("inspect", "-f", Self.address, $0) }
        try Self.powerOff(bench, host)

        let second = try Self.boot(bench)
        defer { second.kill(SIGKILL) }
        #expect(
            eventually {
                let up = try? bench.gantry("ps", "--filter", "status=running", "--format", "{{.Names}}").lines.sorted()
                return up == ["base", "web"]
            }, "\(Self.states(bench)) \(second.errors)")
        let after = try ["web", "base"].map { try bench.succeed("inspect", "-f", Self.address, $0) }
        #expect(after == before, "\(second.errors)")
        #expect(
            try bench.succeed("ps", "-a", "--filter", "name=once", "--format", "{{.Status}}").hasPrefix("Exited (255)"))
        #expect(eventually { (try? Self.page(port).contains("root:")) == true })
        #expect(try bench.succeed("exec", "web", "nslookup", "base").contains("10.213.20.77"))
        try bench.succeed("start", "once")
    }

    /// What the engine says of both, for a failure's text.
    private static func states(_ bench: SessionBench) -> String {
        (try? bench.gantry("inspect", "-f", "{{.Name}} {{json .State}}", "web", "base").text) ?? "no states"
    }

    private static func page(_ port: String) throws -> String {
        try Spawner.output(of: Spawner.shell("busybox wget -qO- http://127.0.0.1:\(port)/passwd")).output
    }

    private static func freePort() throws -> String {
        let socket = OwnedDescriptor(try InternetSocket.bound(.stream, SocketEndpoint(IPAddress(.v4, 0), 0)))
        return String(try InternetSocket.port(socket.descriptor))
    }

    private static func powerOff(_ bench: SessionBench, _ host: RunningProgram) throws {
        let pids = try bench.gantry("ps", "-q").lines.map {
            try bench.succeed("inspect", "-f", "{{.State.Pid}}", $0)
        }
        host.kill(SIGKILL)
        Remains.endProcesses(naming: bench.root)
        let first = pids.compactMap { Int32($0) }
        for pid in first { kill(pid, SIGKILL) }
        _ = eventually(seconds: 5) { first.allSatisfy(Remains.hasEnded) }
        Remains.removeCgroups(of: bench.root)
        NetworkRemains.remove(root: bench.root)
        try Directory.removeTree(bench.root + "/run")
    }

    /// The next engine, for which the kernel has started anew.
    private static func boot(_ bench: SessionBench) throws -> RunningProgram {
        let base = bench.root + "/second"
        var command = Spawner.shell(
            """
            echo 01234567-89ab-cdef-0123-456789abcdef > \(base).boot
            exec unshare -m sh -c 'mount --bind \(base).boot /proc/sys/kernel/random/boot_id &&
                exec \(SessionBench.program("gantry")) --root \(bench.root) daemon'
            """)
        command.environment = SessionBench.environment
        let errors = OwnedDescriptor(try Descriptor.open(base + ".err", O_RDWR | O_CREAT, mode: 0o600))
        command.descriptors = [nil, errors.descriptor, errors.descriptor]
        let program = RunningProgram(pid: try command.start(), base: base)
        guard eventually({ access("\(bench.root)/run/gantry.sock", F_OK) == 0 }) else {
            throw SessionFailure(description: "the second engine does not answer: \(program.errors)")
        }
        return program
    }
}
