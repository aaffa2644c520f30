import Glibc
import Linux
import Testing

/// Debian's servers in containers, used through published ports by their own clients on the host.
@Suite(.serialized)
struct ServerSessionTests {
    private static func shell(_ script: String) throws -> String {
        let outcome = try Spawner.output(of: Spawner.shell(script))
        return outcome.output + outcome.errors
    }

    private static func port(_ container: String, _ port: String, _ bench: SessionBench) throws -> String {
        let lines = try bench.succeed("port", container, port)
        return String(lines.split(separator: "\n").first.flatMap { $0.split(separator: ":").last } ?? "")
    }

    @Test(
        "redis keeps its client's connection while the engine is killed, and its data over a restart",
        .enabled(if: ServerImage.missing("/usr/bin/redis-server") == nil, "needs Debian's redis-server"))
    func redis() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try ServerImage.redis.make(bench)
        let host = try bench.daemon()
        try bench.succeed("network", "create", "front")
        try bench.succeed(
            "run", "-d", "--name", "store", "--network", "front", "-p", "6379", "-v", "kept:/data", "debian/redis",
            "redis-server", "--protected-mode", "no", "--dir", "/data", "--appendonly", "yes")
        let port = try Self.port("store", "6379", bench)
        #expect(try eventually { try Self.shell("redis-cli -p \(port) set key value") == "OK\n" })
        // One connection over all of it: redis-cli reads from the pipe until it is closed.
        let (reading, writing) = try Descriptor.pipe()
        var client = Spawner.shell("exec redis-cli -p \(port) > \(bench.root)/answers")
        client.descriptors = [reading, nil, nil]
        let pid = try client.start()
        reading.close()
        func answers() -> String { (try? Self.shell("cat \(bench.root)/answers")) ?? "" }
        try writing.writeAll(Array("client setname lasting\nget key\n".utf8))
        #expect(eventually { answers() == "OK\nvalue\n" })
        host.kill(SIGKILL)
        try writing.writeAll(Array("client getname\n".utf8))
        #expect(eventually { answers() == "OK\nvalue\nlasting\n" })
        // The next engine sets its rules, and touches neither.
        let ask = "echo PING | nc -w 2 store 6379"
        let reply = try bench.succeed("run", "--rm", "--network", "front", "gantry/starter", "sh", "-c", ask)
        #expect(reply == "+PONG\r\n")
        try writing.writeAll(Array("client getname\n".utf8))
        #expect(eventually { answers() == "OK\nvalue\nlasting\nlasting\n" })
        writing.close()
        waitpid(pid, nil, 0)
        try bench.succeed("restart", "store")
        let after = try Self.port("store", "6379", bench)
        #expect(try eventually { try Self.shell("redis-cli -p \(after) get key") == "value\n" })
    }

    @Test(
        "nginx serves a folder of the host over both versions, to the host and to a neighbour that knows its name",
        .enabled(if: ServerImage.missing("/usr/sbin/nginx", "/usr/bin/curl") == nil, "needs Debian's nginx and curl"))
    func nginx() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try ServerImage.nginx.make(bench)
        let settings = """
            user root root; daemon off; error_log /dev/stderr; events {}
            http { access_log /dev/stdout; server { listen 80; listen [::]:80; root /srv; } }
            """
        _ = try Self.shell(
            """
            mkdir \(bench.root)/pages; echo page > \(bench.root)/pages/index.html
            head -c 5000000 /dev/urandom > \(bench.root)/pages/large
            echo '\(settings)' > \(bench.root)/nginx.conf
            """)
        _ = try bench.daemon()
        try bench.succeed("network", "create", "--ipv6", "front")
        try bench.succeed("network", "create", "apart")
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "front", "-p", "80", "-v", "\(bench.root)/pages:/srv:ro", "-v",
            "\(bench.root)/nginx.conf:/nginx.conf:ro", "debian/nginx", "/usr/sbin/nginx", "-c", "/nginx.conf")
        let port = try Self.port("web", "80", bench)
        #expect(try eventually { try Self.shell("curl -s http://127.0.0.1:\(port)/") == "page\n" })
        #expect(try Self.shell("curl -s 'http://[::1]:\(port)/'") == "page\n")
        let sums = try Self.shell(
            "curl -s http://127.0.0.1:\(port)/large | md5sum; md5sum < \(bench.root)/pages/large")
        #expect(Set(sums.split(separator: "\n")).count == 1)
        func fetch(_ network: String, _ address: String) throws -> Outcome {
            try bench.gantry(
                "run", "--rm", "--network", network, "gantry/starter", "sh", "-c",
                "timeout 2 wget -qO- http://\(address)/; exit $?")
        }
        #expect(try fetch("front", "web").text == "page\n")
        let inspect = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        let address = try bench.succeed("inspect", "-f", inspect, "web")
        #expect(try fetch("front", address).text == "page\n")
        #expect(try fetch("apart", address).code != 0)
        #expect(try fetch("apart", "web").code != 0)
    }

    @Test(
        "postgres makes its cluster in a volume as a user of its own, and psql uses it; the next container has the data",
        .enabled(
            if: ServerImage.missing("\(ServerImage.postgresFolder)/bin/postgres", "/usr/bin/psql") == nil,
            "needs Debian's postgresql"))
    func postgres() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try ServerImage.postgres.make(bench)
        _ = try bench.daemon()
        let programs = "\(ServerImage.postgresFolder)/bin"
        let script = """
            [ -e $PGDATA/PG_VERSION ] || {
                \(programs)/initdb -U postgres --no-locale -A trust &&
                echo 'host all all all trust' >> $PGDATA/pg_hba.conf; } || exit 1
            exec \(programs)/postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
            """
        func serve(_ name: String) throws -> (String) throws -> String {
            try bench.succeed(
                "run", "-d", "--name", name, "-p", "5432", "--user", "postgres", "-v", "base:/var/lib/postgresql", "-e",
                "PGDATA=/var/lib/postgresql/data", "debian/postgres", "sh", "-c", script)
            let port = try Self.port(name, "5432", bench)
            return { try Self.shell("psql -h 127.0.0.1 -p \(port) -U postgres -AtXc \"\($0)\"") }
        }
        let first = try serve("first")
        let statement = "create table t as select generate_series(1, 1000) n"
        #expect(try eventually(seconds: 60) { try first(statement) == "SELECT 1000\n" })
        try bench.succeed("stop", "first")
        try bench.succeed("rm", "first")
        let second = try serve("second")
        #expect(try eventually(seconds: 60) { try second("select sum(n) from t") == "500500\n" })
    }
}
