import Glibc
import Linux
import Testing

/// Networks of an ordinary user's engine: bridges in a namespace of its own, ports in the machine's.
@Suite(
    .serialized, .enabled(if: OrdinaryUser.isPossible, "needs root, to become another user"),
    .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"), .timeLimit(.minutes(3)))
struct NetworkTests {
    /// What a server of files answers, without its head.
    static func fetch(_ name: String, _ port: UInt16) throws -> String {
        let answer = try exchange("GET /\(name) HTTP/1.0\r\n\r\n", .stream, port)
        return answer.split(separator: "\r\n\r\n", maxSplits: 1).last.map(String.init) ?? ""
    }

    /// Sends from the machine, as anybody's program would, and reads until the end; of a datagram the first answer.
    private static func exchange(_ text: String, _ kind: InternetSocket.Kind, _ port: UInt16) throws -> String {
        var answer: [UInt8] = []
        // What serves there has been started, and may not listen yet.
        for _ in 0..<200 where answer.isEmpty {
            let socket = OwnedDescriptor(try InternetSocket.open(kind, .v4))
            let descriptor = socket.descriptor
            _ = try InternetSocket.connect(descriptor, to: SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port))
            var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
            poll(&entry, 1, 5000)
            if let refusal = try InternetSocket.pendingError(descriptor), refusal.rawValue != 0 {
                throw KernelError("connect", "\(port)", refusal)
            }
            // A connection that is closed at once is tried again.
            guard (try? descriptor.writeAll(Array(text.utf8))) != nil else { continue }
            var chunk = [UInt8](repeating: 0, count: 4096)
            repeat {
                entry.events = Int16(POLLIN)
                guard poll(&entry, 1, kind == .stream ? 5000 : 50) > 0 else { break }
                guard let count = try? descriptor.read(into: &chunk), count > 0 else { break }  // As above.
                answer += chunk[..<count]
            } while kind == .stream
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// A port that was free a moment ago.
    static func freePort() throws -> UInt16 {
        let socket = OwnedDescriptor(try InternetSocket.bound(.stream, SocketEndpoint(IPAddress(.v4, 0), 0)))
        return try InternetSocket.port(socket.descriptor)
    }

    @Test("A published port is reached from the machine, also while no engine runs and after the next one came")
    func published() throws {
        try OrdinaryUser.with { user in
            let port = try Self.freePort()
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--hostname", "there", "-p", "\(port):80", "gantry/starter", "httpd",
                "-f", "-h", "/etc")
            #expect(run.code == 0, "\(run.errors)")
            #expect(try Self.fetch("hostname", port) == "there\n")
            #expect(try user.gantry("port", "web").output.contains("0.0.0.0:\(port)"))
            #expect(try Self.fetch("hostname", port) == "there\n")
            let taken = try user.gantry("run", "--rm", "-p", "\(port):80", "gantry/starter", "true")
            #expect(taken.code == 125)
            #expect(taken.errors.contains("port is already allocated (by container web)"), "\(taken.errors)")
            #expect(try user.gantry("rm", "-f", "web").code == 0)
            #expect(throws: KernelError.self) { try Self.fetch("hostname", port) }
        }
    }

    @Test("Datagrams reach a published port, and the answers come back")
    func datagrams() throws {
        try OrdinaryUser.with { user in
            let port = try Self.freePort()
            let echo =
                "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 7, Proto => 'udp') or die; "
                + "while (defined $s->recv(my $text, 4096)) { $s->send($text) }"
            let run = try user.gantry(
                "run", "-d", "--name", "echo", "-p", "127.0.0.1:\(port):7/udp", "-v", "/usr:/usr:ro", "-v",
                "/usr/lib:/lib:ro", "-v", "/usr/lib64:/lib64:ro", "gantry/starter", "/usr/bin/perl", "-e", echo)
            #expect(run.code == 0, "\(run.errors)")
            #expect(try Self.exchange("hello", .datagram, port) == "hello")
            #expect(try user.gantry("rm", "-f", "echo").code == 0)
        }
    }

    @Test("Containers of a network find each other by name, and those of another do not reach them")
    func names() throws {
        try OrdinaryUser.with { user in
            for network in ["front", "back"] { #expect(try user.gantry("network", "create", network).code == 0) }
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--network", "front", "gantry/starter", "httpd", "-f", "-h", "/etc")
            #expect(run.code == 0, "\(run.errors)")
            let friend = try user.gantry(
                "run", "--rm", "--network", "front", "gantry/starter", "timeout", "5", "wget", "-qO-",
                "http://web/passwd")
            #expect(friend.output.contains("root:"), "\(friend.errors)")
            let address = try user.gantry("exec", "web", "hostname", "-i").output.filter { $0 != "\n" }
            let stranger = try user.gantry(
                "run", "--rm", "--network", "back", "gantry/starter", "sh", "-c",
                "timeout 2 wget -qO- http://\(address)/passwd; exit $?")
            #expect(stranger.code != 0 && !stranger.output.contains("root:"))
            #expect(try user.gantry("network", "connect", "back", "web").code == 0)
            let met = try user.gantry(
                "run", "--rm", "--network", "back", "gantry/starter", "timeout", "5", "wget", "-qO-",
                "http://web/passwd")
            #expect(met.output.contains("root:"), "\(met.errors)")
            #expect(try user.gantry("rm", "-f", "web").code == 0)
            for network in ["front", "back"] { #expect(try user.gantry("network", "rm", network).code == 0) }
        }
    }

    @Test("A port that only root may have is refused with the switch that would allow it")
    func privilegedPort() throws {
        try OrdinaryUser.with { user in
            let run = try user.gantry("run", "--rm", "-p", "81:80", "gantry/starter", "true")
            #expect(run.code == 125)
            #expect(run.errors.contains("cannot expose privileged port 0.0.0.0:81/tcp"), "\(run.errors)")
            #expect(run.errors.contains("net.ipv4.ip_unprivileged_port_start=81"))
            #expect(try user.gantry("ps", "-aq").output == "")
        }
    }

    @Test("Networks that need the machine's devices are refused by name")
    func macvlan() throws {
        try OrdinaryUser.with { user in
            let made = try user.gantry("network", "create", "-d", "macvlan", "-o", "parent=lo", "far")
            #expect(made.code == 1)
            #expect(made.errors.contains("macvlan need the machine's devices"), "\(made.errors)")
        }
    }

    @Test(
        "An uplink carries packets out of the engine's networks; without one that is said, and the rest works",
        arguments: [("pasta", 0), ("slirp4netns", 1), ("", 2)])
    func uplink(program: String, index: Int) throws {
        let paths: [String] = ["/usr/bin/pasta", "/usr/bin/slirp4netns"]
        guard index == 2 || access(paths[index], X_OK) == 0 else {
            return print("\(program) is not installed: not tried as an uplink")
        }
        try OrdinaryUser.with { user in
            user.hidden = paths.enumerated().filter { $0.offset != index }.map(\.element)
            let run = try user.gantry("run", "-d", "--name", "web", "gantry/starter", "sleep", "1000")
            #expect(run.code == 0, "\(run.errors)")
            let carriers = user.processes("\(user.folder)/run/gantry/network")
            if index == 2 {
                #expect(run.errors.contains("containers do not reach the world"), "\(run.errors)")
                #expect(carriers == [])
            } else {
                #expect(run.errors == "")
                #expect(carriers.count == 1)
                let resolvers = try user.gantry("exec", "web", "cat", "/etc/resolv.conf").output
                #expect(resolvers.contains(index == 0 ? "169.254.1.1" : "10.0.2.3"))
            }
            #expect(try user.gantry("rm", "-f", "web").code == 0)
        }
    }

    @Test("docker's client finds the engine at its socket", .enabled(if: access("/usr/bin/docker", X_OK) == 0))
    func docker() throws {
        try OrdinaryUser.with { user in
            let engine = try user.begin("exec gantry daemon")
            let run = try user.shell(
                "while [ ! -S \(user.socket) ]; do :; done; export DOCKER_HOST=unix://\(user.socket); "
                    + "docker run -d --name web --network none gantry/starter sleep 1000 && docker exec web id -u && "
                    + "docker rm -f web && docker info --format '{{.SecurityOptions}}'")
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.contains("\n0\nweb\n"))
            #expect(run.output.contains("name=rootless"))
            kill(engine, SIGTERM)
            waitpid(engine, nil, 0)
        }
    }
}
