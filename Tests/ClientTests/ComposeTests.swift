import Foundation
import Testing

/// docker-compose 1.29: what one service waits for in another, and what comes from the environment.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"),
    .enabled(if: Tool.isThere("/usr/bin/docker-compose"), "needs Debian's docker-compose"), .serialized,
    .timeLimit(.minutes(3)))
struct ComposeTests {
    private static let project = #"""
        version: "2.4"
        services:
          store:
            image: gantry/starter
            command: ["sh", "-c", "sleep 1; touch /ready; exec sleep 1000"]
            environment: {A: one}
            healthcheck: {test: ["CMD", "test", "-e", "/ready"], interval: 200ms, timeout: 5s, retries: 100}
            networks: [back]
            volumes: ["goods:/goods"]
          web:
            image: gantry/starter
            command: ["sh", "-c", "echo $$B $$FROM_HOST; exec sleep 1000"]
            environment: [B=two, FROM_HOST]
            depends_on: {store: {condition: service_healthy}}
            networks: [front, back]
            links: ["store:goods-store"]
            ports: ["127.0.0.1::80"]
          last:
            image: gantry/starter
            command: ["sleep", "1000"]
            depends_on: [web]
            networks: [front]
        networks: {front: {}, back: {internal: true}}
        volumes: {goods: {}}
        """#

    @Test("A service waits until another is healthy, and gets its environment; all goes with `down -v`")
    func healthy() async throws {
        let daemon = try await RunningDaemon()
        let folder = "\(daemon.root)/shop"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.project.write(toFile: "\(folder)/docker-compose.yml", atomically: true, encoding: .utf8)
        func compose(_ words: String...) async throws -> Tool.Result {
            try await Tool(
                path: "/usr/bin/docker-compose",
                arguments: ["--project-directory", folder, "-f", "\(folder)/docker-compose.yml"] + words,
                environment: ["DOCKER_HOST": "unix://\(daemon.socketPath)", "FROM_HOST": "here", "HOME": daemon.root]
            ).run()
        }
        let up = try await compose("up", "-d")
        try #require(up.code == 0, "\(up.errors)")
        // docker cuts the time to whole seconds: a second from now is past all that was.
        let words = ["events", "--since", "10m", "--until=-1s", "--format", "{{.Action}} {{.Actor.Attributes.name}}"]
        let events = try await daemon.docker(words).output.split(separator: "\n").map(String.init)
        let order = [
            "start shop_store_1", "health_status: healthy shop_store_1", "start shop_web_1", "start shop_last_1",
        ]
        let places = order.map { events.firstIndex(of: $0) ?? -1 }
        #expect(places == places.sorted() && !places.contains(-1), "\(events)")
        #expect(try await compose("ps").output.contains("Up (healthy)"))
        #expect(try await compose("logs", "web").output.contains("two here"))
        #expect(try await compose("exec", "-T", "store", "sh", "-c", "echo $A; exit 4").output == "one\n")
        #expect(try await compose("exec", "-T", "store", "sh", "-c", "exit 4").code == 4)
        let linked = try await compose("exec", "-T", "web", "nslookup", "goods-store")
        #expect(linked.code == 0, "\(linked)")
        let again = try await compose("up", "-d", "--force-recreate", "--no-deps", "web")
        #expect(again.code == 0, "\(again.errors)")
        #expect(try await compose("ps", "-q", "web").output.split(separator: "\n").count == 1)
        let down = try await compose("down", "-v")
        #expect(down.code == 0, "\(down.errors)")
        #expect(try await daemon.docker("ps", "-aq").output == "")
        #expect(try await daemon.docker("volume", "ls", "-q").output == "")
        #expect(try await daemon.docker("network", "ls", "-q", "--filter", "type=custom").output == "")
        try await daemon.end()
    }
}
