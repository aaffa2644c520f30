import Daemon
import EngineAPI
import EngineContract
import Glibc
import Linux
import LocalEngine
import NetworkRemains
import RemoteEngine
import Testing

/// A local engine of its own root, behind a daemon, used from the other side of its socket.
final class ServedEngine: Sendable {
    /// What must be there, or the reason why these tests cannot run.
    static let missing: String? = {
        if geteuid() != 0 { return "root" }
        let configuration = LocalEngineConfiguration(root: "/tmp/gantry-none")
        return [configuration.shimPath, configuration.runtimePath, "/bin/busybox"].first { access($0, X_OK) != 0 }
    }()

    let remote: DockerEngine
    let local: GantryEngine
    private let server: DaemonServer
    private let root: String

    init() async throws {
        var template = Array("/tmp/gantry-remote-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError("mkdtemp", "", .accessDenied) }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        local = try await GantryEngine(LocalEngineConfiguration(root: root))
        let socketPath = "\(root)/gantry.sock"
        server = try await DaemonServer.start(engine: local, socketPath: socketPath)
        remote = try DockerEngine(host: "unix://\(socketPath)")
    }

    func clear() async throws {
        for container in try await local.containers(ContainerFilter(all: true)) {
            try await local.remove(container.id, force: true, volumes: true)
        }
        await server.stop(grace: .seconds(1))
        await local.close()
        NetworkRemains.remove(root: root)
        try Directory.removeTree(root)
    }
}

@Suite struct RemoteContractTests {
    @Test(
        "An engine behind a daemon keeps the contract of one in the same process",
        .enabled(
            if: ServedEngine.missing == nil,
            "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
    func contract() async throws {
        let served = try await ServedEngine()
        for rule in ContractCase.all {
            do {
                try await rule.run(on: served.remote)
            } catch {
                Issue.record("\(rule): \(error)")
            }
        }
        try await served.clear()
    }
}
