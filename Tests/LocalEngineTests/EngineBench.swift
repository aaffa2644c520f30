import AsyncIO
import EngineAPI
import Glibc
import Lifecycle
import Linux
import LocalEngine
import NetworkRemains
import Testing

/// A data root and a run root under one directory of /tmp, and what an engine on them needs.
///
/// `clear` ends every container and removes all of it; each test calls it at its end, however that comes.
final class EngineBench: Sendable {
    /// What must be there, or the reason why these tests cannot run.
    static let missing: String? = {
        if geteuid() != 0 { return "root" }
        let configuration = LocalEngineConfiguration(root: "/tmp/gantry-none")
        return [configuration.shimPath, configuration.runtimePath, "/bin/busybox"].first { access($0, X_OK) != 0 }
    }()

    let root: String
    let configuration: LocalEngineConfiguration

    init() throws {
        var template = Array("/tmp/gantry-engine-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        guard made != nil else { throw KernelError("mkdtemp", "", .accessDenied) }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        configuration = LocalEngineConfiguration(root: root)
    }

    func open() async throws -> GantryEngine {
        try await GantryEngine(configuration, note: { print("note: \($0)") })
    }

    /// Runs a test on an engine of its own.
    static func with(_ body: (GantryEngine, EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        do {
            let engine = try await bench.open()
            do { try await body(engine, bench) } catch {
                await engine.close()
                throw error
            }
            await engine.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    func clear() async throws {
        let engine = try await open()
        for container in try await engine.containers(ContainerFilter(all: true)) {
            try await engine.remove(container.id, force: true, volumes: true)
        }
        await engine.close()
        NetworkRemains.remove(root: root)
        try Directory.removeTree(root)
    }

    /// Creates a container that runs a shell script.
    func create(
        _ script: String, name: String? = nil, on engine: GantryEngine,
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        var spec = ContainerSpec(image: "gantry/starter")
        spec.command = ["sh", "-c", script]
        spec.networkMode = NetworkMode.none
        change(&spec)
        return try await engine.create(spec, name: name).id
    }

    /// A file as a running container's processes see it.
    static func text(of path: String, _ id: String, _ engine: GantryEngine) async throws -> String {
        let pid = try await engine.inspect(id).state.pid
        return String(decoding: try FileContents.read("/proc/\(pid)/root\(path)"), as: UTF8.self)
    }

    /// Work of a test that waits for what other tasks of it do.
    static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await BlockingPool.shared.run { () throws -> Value in try body() }
    }

    /// What is left in the roots that belongs to a container, by relative path.
    func traces(of id: String) -> [String] {
        let places = [
            "data/containers/\(id)", "data/snapshots/\(id)", "run/bundles/\(id)", "run/shims/\(id)",
            "run/runtime/\(id)",
        ]
        return places.filter { access("\(root)/\($0)", F_OK) == 0 }
    }
}
