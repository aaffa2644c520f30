import Foundation
import Linux
import NetworkRemains
import Testing

/// A daemon that dies where it is told to.
private enum KillingDaemon {
    static var missing: String? {
        #if DEBUG
            return RunningDaemon.missing
        #else
            return "a debug build"
        #endif
    }
}

/// The daemon is killed at each step of what docker's command line asks it to do with networks; the next one finds a
/// state that works, in which the same can be asked again, and nothing stale.
@Suite(
    .enabled(if: KillingDaemon.missing == nil, "not there: \(KillingDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(5)))
struct NetworkKillTests {
    /// A command, the steps at which the daemon dies over it, and what is said where the next daemon has finished it.
    struct Work: Sendable, CustomTestStringConvertible {
        let words: [String]
        let points: [String]
        let doneWords: String
        let proof: Proof

        var testDescription: String { words.joined(separator: " ") }
    }

    enum Proof { case network, noNetwork, member, stranger, port }

    static let works = [
        Work(
            words: ["network", "create", "fresh"], points: ["networkCreate.afterRow", "networkCreate.afterBridge"],
            doneWords: "network with name fresh already exists", proof: .network),
        Work(
            words: ["network", "rm", "idle"], points: ["networkRemove.afterRules", "networkRemove.afterBridge"],
            doneWords: "network idle not found", proof: .noNetwork),
        Work(
            words: ["network", "connect", "side", "victim"],
            points: ["connect.afterIntent", "connect.afterDevice", "connect.afterNames"],
            doneWords: "endpoint with name victim already exists in network side", proof: .member),
        Work(
            words: ["network", "disconnect", "home", "leaver"],
            points: [
                "disconnect.afterIntent", "disconnect.afterDevice", "disconnect.afterNames",
                "disconnect.beforeDeletion",
            ],
            doneWords: "is not connected to network home", proof: .stranger),
        Work(
            words: ["start", "publisher"],
            points: ["endpoint.afterAddresses", "endpoint.afterDevices", "endpoint.afterPorts"], doneWords: "",
            proof: .port),
    ]

    @Test("What the daemon's death cuts short is done or can be done, and nothing of it is left", arguments: works)
    func killed(_ work: Work) async throws {
        var daemon = try await RunningDaemon()
        do {
            let ids = try await prepare(daemon)
            for point in work.points {
                daemon = try await successor(of: daemon, dyingAt: point)
                let cut = try await daemon.docker(work.words)
                // The answer may have come before a death on the side.
                #expect(cut.code != 0 || point == "disconnect.beforeDeletion", "\(point)")
                #expect(await Tool.wait(daemon.pid) == 128 + SIGKILL, "\(point) was not reached: \(cut.errors)")
                daemon = try await successor(of: daemon, isAlive: false)
                let again = try await daemon.docker(work.words)
                #expect(
                    again.code == 0 || !work.doneWords.isEmpty && again.errors.contains(work.doneWords),
                    "\(point): \(again.errors)")
                try await check(work.proof, daemon, point)
                try await reset(work.proof, daemon)
            }
            for name in ["victim", "leaver"] {
                #expect(try await hasNothingRetired(name, daemon), "\(name)")
            }
            try await clear(daemon, ids)
        } catch {
            try await daemon.end()
            throw error
        }
        try await daemon.end()
    }

    /// Whether a container comes to have no devices but its networks'; what it had is deleted on the side.
    private func hasNothingRetired(_ name: String, _ daemon: RunningDaemon) async throws -> Bool {
        for _ in 0..<200 {
            let devices = try await succeed(daemon, ["exec", name, "ls", "/sys/class/net"]).split(separator: "\n")
            if devices.filter({ !$0.hasPrefix("eth") }) == ["lo"] { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private static let echo = ["gantry/starter", "busybox", "nc", "-ll", "-p", "7", "-e", "cat"]

    /// - Returns: the containers' ids.
    private func prepare(_ daemon: RunningDaemon) async throws -> [String] {
        for name in ["side", "home", "idle"] { try await succeed(daemon, ["network", "create", name]) }
        var ids: [String] = []
        for (name, network, more) in [
            ("server", "side", []), ("victim", "bridge", []), ("leaver", "home", ["-p", "7"]),
            ("neighbour", "home", []),
        ] as [(String, String, [String])] {
            ids.append(
                try await succeed(daemon, ["run", "-d", "--name", name, "--network", network] + more + Self.echo))
        }
        try await succeed(daemon, ["network", "connect", "side", "leaver"])
        ids.append(
            try await succeed(daemon, ["create", "--name", "publisher", "--network", "home", "-p", "7"] + Self.echo))
        return ids
    }

    @discardableResult
    private func succeed(_ daemon: RunningDaemon, _ words: [String]) async throws -> String {
        let result = try await daemon.docker(words)
        #expect(result.code == 0, "\(words): \(result.errors)")
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func successor(
        of daemon: RunningDaemon, isAlive: Bool = true, dyingAt point: String? = nil
    ) async throws -> RunningDaemon {
        if isAlive {
            kill(daemon.pid, SIGKILL)
            _ = await Tool.wait(daemon.pid)
        }
        // Its last words would be taken for the next one's.
        try FileManager.default.removeItem(atPath: daemon.root + "/daemon.log")
        return try await RunningDaemon(
            environment: point.map { ["GANTRY_FAULT": "\($0):kill"] } ?? [:], folder: daemon.root)
    }

    private func check(_ proof: Proof, _ daemon: RunningDaemon, _ point: String) async throws {
        switch proof {
        case .network:
            #expect(try await names(daemon).filter { $0 == "fresh" }.count == 1, "\(point)")
            let words = ["run", "--rm", "--network", "fresh", "gantry/starter", "ls", "/sys/class/net"]
            #expect(try await succeed(daemon, words).contains("eth0"), "\(point)")
        case .noNetwork: #expect(try await !names(daemon).contains("idle"), "\(point)")
        case .member: #expect(try await asks("victim", "server", daemon) == "hello", "\(point)")
        case .stranger:
            #expect(try await asks("leaver", "neighbour", daemon) == "", "\(point)")
            #expect(try await asks("leaver", "server", daemon) == "hello", "\(point)")
            #expect(try await published("leaver", daemon) == "hello", "\(point)")
        case .port: #expect(try await published("publisher", daemon) == "hello", "\(point)")
        }
    }

    /// Back to how it was, for the next step.
    private func reset(_ proof: Proof, _ daemon: RunningDaemon) async throws {
        switch proof {
        case .network: try await succeed(daemon, ["network", "rm", "fresh"])
        case .noNetwork: try await succeed(daemon, ["network", "create", "idle"])
        case .member: try await succeed(daemon, ["network", "disconnect", "side", "victim"])
        case .stranger: try await succeed(daemon, ["network", "connect", "home", "leaver"])
        case .port: try await succeed(daemon, ["stop", "-t", "0", "publisher"])
        }
    }

    private func names(_ daemon: RunningDaemon) async throws -> [String] {
        try await succeed(daemon, ["network", "ls", "--format", "{{.Name}}"]).split(separator: "\n").map(String.init)
    }

    /// What one container is answered by another, asked by its name.
    private func asks(_ asker: String, _ server: String, _ daemon: RunningDaemon) async throws -> String {
        let script = "echo hello | timeout 5 busybox nc \(server) 7"
        return try await daemon.docker("exec", asker, "sh", "-c", script).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What comes back from a container's published port.
    private func published(_ name: String, _ daemon: RunningDaemon) async throws -> String {
        let line = try await succeed(daemon, ["port", name, "7/tcp"]).split(separator: "\n").first ?? ""
        let port = try #require(line.split(separator: ":").last.map(String.init))
        let client = Tool(path: "/bin/busybox", arguments: ["timeout", "5", "nc", "127.0.0.1", port])
        // The container's program listens a moment after it began.
        for _ in 0..<100 {
            let answer = try await client.run(input: "hello\n").output
            if !answer.isEmpty { return answer.trimmingCharacters(in: .whitespacesAndNewlines) }
            try await Task.sleep(for: .milliseconds(50))
        }
        return ""
    }

    private func clear(_ daemon: RunningDaemon, _ ids: [String]) async throws {
        try await succeed(daemon, ["rm", "-f"] + ids)
        try await succeed(daemon, ["network", "prune", "-f"])
        // The kernel takes containers' devices away on the side.
        var left = NetworkRemains.list(root: daemon.root, containers: ids)
        for _ in 0..<200 where left.count > 1 {
            try await Task.sleep(for: .milliseconds(50))
            left = NetworkRemains.list(root: daemon.root, containers: ids)
        }
        #expect(left.count == 1, "but for the default network's bridge: \(left)")
        let files = try FileManager.default.contentsOfDirectory(atPath: daemon.root + "/run/networks")
        #expect(files.isEmpty, "\(files)")
    }
}
