import EngineAPI
import Networking

/// A row of the list, and at which revisions it was made.
struct KeptSummary: Sendable {
    let revision: ContainerRevision
    let summary: ContainerSummary
}

/// What all that a list tells of a container follows from. The same again: the same row.
package struct ContainerRevision: Hashable, Sendable {
    fileprivate let container: UInt64
    /// Of all networks; zero for a container that has nothing to do with them.
    fileprivate let networks: UInt64
}

extension Container {
    /// After each change of what is told of this container.
    nonisolated func raiseRevision() {
        revision.raise()
        context.index.revision.raise()
    }

    /// To be read before what it is of.
    package nonisolated var currentRevision: ContainerRevision {
        let own = revision.number
        return ContainerRevision(container: own, networks: isNetworked ? context.networks.revision.number : 0)
    }

    /// The row that was kept at that revision.
    package nonisolated func summary(at revision: ContainerRevision) -> ContainerSummary? {
        lastSummary.withLock { kept in kept.flatMap { $0.revision == revision ? $0.summary : nil } }
    }

    package nonisolated func keep(_ summary: ContainerSummary, at revision: ContainerRevision) {
        lastSummary.withLock { $0 = KeptSummary(revision: revision, summary: summary) }
    }
}
