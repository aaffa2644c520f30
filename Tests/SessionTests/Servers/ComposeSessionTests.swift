import Glibc
import Testing

/// docker-compose 1.29 on our socket, with two networks and a volume.
@Suite(
    .serialized,
    .enabled(
        if: ServerImage.missing("/usr/bin/docker-compose", "/usr/bin/redis-server") == nil,
        "needs Debian's docker-compose and redis-server"))
struct ComposeSessionTests {
    private static let project = """
        version: "3.8"
        services:
          cache:
            image: debian/redis
            command: redis-server --protected-mode no --dir /data --appendonly yes
            networks: [back]
            volumes: ["kept:/data"]
          web:
            image: gantry/starter
            command: ["sh", "-c", "while :; do echo greeting | nc -l -p 80 > /dev/null; done"]
            networks: [front, back]
            depends_on: [cache]
            ports: ["80"]
          stranger:
            image: gantry/starter
            command: ["sleep", "1000"]
            networks: [front]
        networks:
          front: {}
          back: {internal: true}
        volumes:
          kept: {}
        """

    @Test("up, ps, logs, exec, port and down do what they do with docker; the volume stays until it is to go")
    func project() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        try ServerImage.redis.make(bench)
        _ = try bench.daemon()
        _ = try Spawner.output(
            of: Spawner.shell(
                "mkdir \(bench.root)/shop && cat > \(bench.root)/shop/docker-compose.yml << 'END'\n\(Self.project)\nEND"
            ))
        func compose(_ words: String) throws -> (output: String, errors: String) {
            try Spawner.output(
                of: Spawner.shell(
                    "cd \(bench.root)/shop && DOCKER_HOST=unix://\(bench.root)/run/gantry.sock "
                        + "exec docker-compose --no-ansi \(words) < /dev/null"))
        }
        let up = try compose("up -d")
        #expect(try bench.gantry("ps", "--format", "{{.Names}}").lines.count == 3, "\(up.errors)")
        let list = try compose("ps").output
        #expect(list.contains("shop_cache_1") && list.contains("shop_web_1") && list.contains("->80/tcp"))
        #expect(try eventually { try compose("logs cache").output.contains("Ready to accept connections") })
        let ask = "sh -c 'printf \"set a b\\r\\nget a\\r\\n\" | nc -w 2 cache 6379'"
        #expect(try compose("exec -T web \(ask)").output == "+OK\r\n$1\r\nb\r\n")
        #expect(try compose("exec -T stranger nc -w 2 web 80").output == "greeting\n")
        #expect(try compose("exec -T stranger \(ask)").output == "", "the internal network is not its own")
        let port = try compose("port web 80").output.split(separator: ":").last.map { String($0.dropLast()) } ?? ""
        let answer = try Spawner.output(of: Spawner.shell("busybox nc -w 2 127.0.0.1 \(port) < /dev/null"))
        #expect(answer.output == "greeting\n")
        _ = try compose("down")
        #expect(try bench.succeed("ps", "-aq") == "")
        #expect(try bench.gantry("network", "ls", "--format", "{{.Name}}").lines == ["bridge", "host", "none"])
        #expect(try bench.succeed("volume", "ls", "-q") == "shop_kept")
        _ = try compose("up -d cache")
        #expect(try eventually { try compose("logs cache").output.contains("Ready to accept connections") })
        #expect(try compose("exec -T cache redis-cli get a").output == "b\n")
        _ = try compose("down -v")
        #expect(try bench.succeed("volume", "ls", "-q") == "")
    }
}
