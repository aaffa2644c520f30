import EngineAPI
import Linux
import OCI
import Tasks

/// What a container has of other containers, for one start.
struct JoinedNamespaces: Sendable {
    /// In /proc.
    var paths: [LinuxNamespace.Kind: String] = [:]
    /// In /proc, the user namespace whose the others are: who joins them must join it, too.
    var user: String?
    /// Whose /dev/shm it shows.
    var memoryOwner: ProcessIdentity?
    var lenders: [NamespaceLender] = []
}

/// A container whose namespaces another one joins, by a path in /proc with its first process's number.
struct NamespaceLender: Hashable, Sendable {
    let containerID: String
    let process: ProcessIdentity

    /// That its process is there, after the path was used: so the number was its own all the time, and no other's, which
    /// might be one of the host's.
    ///
    /// - Throws: `conflict` where it has ended; `unavailable` where the kernel does not say.
    func check() throws(EngineError) {
        do throws(KernelError) {
            let stat = try ProcessStat.read(pid: process.pid)
            if stat.startTicks == process.startTicks, !stat.isEnded { return }
        } catch {
            guard error.isAboutGoneProcess else { throw EngineError(error, object: containerID) }
        }
        throw EngineError(.conflict, "container \(containerID) is not running", object: containerID)
    }
}

/// Namespaces of other containers. They are found anew at each start: another's first process is another after its
/// restart.
extension Container {
    func joinedNamespaces() async throws(EngineError) -> JoinedNamespaces {
        var joined = JoinedNamespaces()
        if case .container(let reference) = definition.spec.pidMode {
            let (lender, process) = try await Self.lender(reference, context.index)
            joined.paths[.pid] = "/proc/\(process.pid)/ns/pid"
            joined.lenders.append(NamespaceLender(containerID: lender.id, process: process))
            joined.user = userNamespace(of: process, in: lender)
        }
        if case .container(let reference) = definition.spec.ipcMode {
            let (lender, process) = try await memoryLender(reference)
            joined.paths[.ipc] = "/proc/\(process.pid)/ns/ipc"
            joined.lenders.append(NamespaceLender(containerID: lender.id, process: process))
            joined.memoryOwner = process
            joined.user = userNamespace(of: process, in: lender)
        }
        return joined
    }

    /// Of another container whose namespaces this one joins; nil where one of both has the host's ids.
    func userNamespace(of process: ProcessIdentity, in lender: Container) -> String? {
        let modes = [definition.spec.userMode, lender.definition.spec.userMode]
        return modes.allSatisfy { context.host.remap(for: $0) != nil } ? "/proc/\(process.pid)/ns/user" : nil
    }

    private func memoryLender(
        _ reference: String
    ) async throws(EngineError) -> (Container, run: ProcessIdentity) {
        let words = "can't join IPC of container \(reference)"
        let lender: Container
        let process: ProcessIdentity
        do throws(EngineError) { (lender, process) = try await Self.lender(reference, context.index) } catch {
            throw EngineError(error.kind, "\(words): \(error.message)", object: reference)
        }
        switch lender.definition.spec.ipcMode {
        case .shareable, .host, .container: return (lender, process)
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
