import EngineAPI
import Synchronization

/// Which containers there are, and their names. Never blocks; any thread may ask.
package final class ContainerIndex: Sendable {
    private struct Tables {
        var containers: [String: Container] = [:]
        /// Also names of containers that are being made.
        var ids: [String: String] = [:]
        /// Which container an exec belongs to.
        var execOwners: [String: String] = [:]
        /// Who is linked to a container, by that one's id.
        var linkOwners: [String: Set<String>] = [:]
    }

    private let tables = Mutex(Tables())
    /// Of which containers and names there are, and of all that is told of each.
    package let revision = Revision()

    package init() {}

    /// Takes a name for a container. False where another has it.
    package func claim(name: String, for id: String) -> Bool {
        tables.withLock { tables in
            if let owner = tables.ids[name] { return owner == id }
            tables.ids[name] = id
            revision.raise()
            return true
        }
    }

    /// Gives a name back, if it is this container's.
    package func release(name: String, of id: String) {
        tables.withLock { tables in
            guard tables.ids[name] == id else { return }
            tables.ids[name] = nil
            revision.raise()
        }
    }

    package func owner(ofName name: String) -> String? { tables.withLock { $0.ids[name] } }

    package func add(_ container: Container) {
        let links = container.defined { $0.spec.links.compactMap(\.id) }
        tables.withLock { tables in
            tables.containers[container.id] = container
            for link in links { tables.linkOwners[link, default: []].insert(container.id) }
        }
        raise(links)
    }

    /// The containers that are linked to one, in order of their ids.
    package func owners(ofLinksTo id: String) -> [Container] {
        tables.withLock { tables in
            (tables.linkOwners[id] ?? []).sorted().compactMap { tables.containers[$0] }
        }
    }

    /// A container is linked to another no more.
    func removeLink(from owner: String, to id: String?) {
        guard let id else { return }
        tables.withLock { tables in _ = tables.linkOwners[id]?.remove(owner) }
    }

    /// What links tell of these has changed.
    func raise(_ linked: [String]) {
        for id in linked { self[id]?.raiseRevision() }
        revision.raise()
    }

    /// Forgets a container and every name of it.
    package func remove(_ id: String) {
        let links = self[id]?.defined { $0.spec.links.compactMap(\.id) } ?? []
        tables.withLock { tables in
            tables.containers[id] = nil
            tables.ids = tables.ids.filter { $0.value != id }
            tables.execOwners = tables.execOwners.filter { $0.value != id }
            for link in links { tables.linkOwners[link]?.remove(id) }
            tables.linkOwners[id] = nil
        }
        raise(links)
    }

    package func add(execID: String, of id: String) { tables.withLock { $0.execOwners[execID] = id } }

    package func remove(execID: String) { tables.withLock { $0.execOwners[execID] = nil } }

    /// The container in which an exec was made.
    package func find(execID: String) throws(EngineError) -> Container {
        let found = tables.withLock { tables in tables.execOwners[execID].flatMap { tables.containers[$0] } }
        guard let found else { throw .noSuchExec(execID) }
        return found
    }

    package subscript(id: String) -> Container? { tables.withLock { $0.containers[id] } }

    package var all: [Container] { tables.withLock { Array($0.containers.values) } }

    /// The container that an id, a name or a unique prefix of an id means, in this order, as docker has it.
    ///
    /// - Throws: `notFound`; `invalid` where several ids begin so.
    package func find(_ reference: String) throws(EngineError) -> Container {
        let name = reference.hasPrefix("/") ? String(reference.dropFirst()) : reference
        let found: [Container] = tables.withLock { tables in
            if let container = tables.containers[reference] { return [container] }
            if let id = tables.ids[name], let container = tables.containers[id] { return [container] }
            guard !reference.isEmpty else { return [] }
            return tables.containers.values.filter { $0.id.hasPrefix(reference) }
        }
        guard let first = found.first else { throw .noSuchContainer(reference) }
        guard found.count == 1 else {
            throw EngineError(
                .invalid, "multiple IDs found with provided prefix: \(reference)", object: reference)
        }
        return first
    }
}
