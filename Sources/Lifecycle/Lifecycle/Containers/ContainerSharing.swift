import EngineAPI
import Linux
import OCI
import Tasks

/// What a container has of other containers, for one start.
struct JoinedNamespaces: Sendable {
    /// In /proc.
    var paths: [LinuxNamespace.Kind: String] = [:]
    /// Whose /dev/shm it shows.
    var memoryOwner: ProcessIdentity?
}

/// Namespaces of other containers. They are found anew at each start: another's first process is another after its
/// restart.
extension Container {
    func joinedNamespaces() async throws(EngineError) -> JoinedNamespaces {
        var joined = JoinedNamespaces()
        if case .container(let reference) = definition.spec.pidMode {
            joined.paths[.pid] = "/proc/\(try await Self.lender(reference, context.index).run.pid)/ns/pid"
        }
        if case .container(let reference) = definition.spec.ipcMode {
            let lender = try await memoryLender(reference)
            joined.paths[.ipc] = "/proc/\(lender.pid)/ns/ipc"
            joined.memoryOwner = lender
        }
        return joined
    }

    private func memoryLender(_ reference: String) async throws(EngineError) -> ProcessIdentity {
        let words = "can't join IPC of container \(reference)"
        let lender: Container
        let process: ProcessIdentity
        do throws(EngineError) { (lender, process) = try await Self.lender(reference, context.index) } catch {
            throw EngineError(error.kind, "\(words): \(error.message)", object: reference)
        }
        switch lender.definition.spec.ipcMode {
        case .shareable, .host, .container: return process
        case .private, .absent, nil:
            throw EngineError(
                .conflict, "\(words): non-shareable IPC (hint: use IpcMode:shareable for the donor container)",
                object: reference)
        }
    }

    private static func lender(
        _ reference: String, _ index: ContainerIndex
    ) async throws(EngineError) -> (Container, run: ProcessIdentity) {
        let other = try index.find(reference)
        if case .waiting = await other.phase {
            throw LifecycleMachine.Refusal.restarting.error("join", id: other.id, name: "", reference: reference)
        }
        guard let run = await other.run else {
            throw EngineError(.conflict, "container \(other.id) is not running", object: reference)
        }
        return (other, run.initial)
    }
}
