import EngineAPI

/// The names that a container's recreation gives on its way, by which one that was cut off is known.
enum RecreationName {
    /// Of the new one, while the old one still has the name.
    static func ofNew(_ name: String, inPlaceOf id: String) -> String { "\(name)-next-\(id.prefix(markLength))" }

    /// Of the old one, once the new one has the name.
    static func ofOld(_ name: String, _ id: String) -> String { "\(name)-\(id.prefix(markLength))" }

    fileprivate static let markLength = 12
}

/// A recreation that came to no end: the process that made it was killed between two of its steps.
struct CutRecreation: Hashable, Sendable {
    enum End: Hashable, Sendable { case finish, undo }

    /// What the container is called that is made anew.
    let name: String
    /// Nil where it has gone: one that removes itself, once it was stopped.
    var old: EngineAction.Target?
    /// Nil where somebody has removed it.
    var new: EngineAction.Target?
    /// The new one runs, or has run: only the removal of the old one is left.
    var isNewStarted = false

    /// All of which something is left among the containers.
    static func all(in list: [ContainerSummary]) -> [CutRecreation] {
        list.compactMap { part(by: $0, in: list) }
    }

    /// What a container tells of by its name and state. A look at each of thousands: what costs nothing rules out first.
    private static func part(by container: ContainerSummary, in list: [ContainerSummary]) -> CutRecreation? {
        if container.state.isActive { return nil }
        return unfinished(container, in: list) ?? leftBehind(container, in: list)
    }

    /// The one of which a container is a part; nil for nearly every one.
    static func of(_ container: ContainerSummary, in list: [ContainerSummary]) -> CutRecreation? {
        list.lazy.compactMap { part(by: $0, in: list) }.first { $0.holds(container.id) }
    }

    /// A new one that has the old one's name and runs is none of its parts any more.
    private func holds(_ id: String) -> Bool { old?.id == id || (new?.id == id && !isNewStarted) }

    /// By the new one, which waits for the name.
    private static func unfinished(_ new: ContainerSummary, in list: [ContainerSummary]) -> CutRecreation? {
        guard new.state.status == .created else { return nil }
        let mark = String(new.name.suffix(RecreationName.markLength))
        let ending = RecreationName.ofNew("", inPlaceOf: mark)
        guard new.name.hasSuffix(ending), mark.allSatisfy(\.isHexDigit) else { return nil }
        let name = String(new.name.dropLast(ending.count))
        guard !name.isEmpty else { return nil }
        let old = list.first { old in
            old.id.hasPrefix(mark) && (old.name == name || old.name == RecreationName.ofOld(name, old.id))
        }
        return CutRecreation(name: name, old: old.map(target), new: target(new))
    }

    /// By the old one, which has left its name to the new one.
    private static func leftBehind(_ old: ContainerSummary, in list: [ContainerSummary]) -> CutRecreation? {
        let ending = RecreationName.ofOld("", old.id)
        guard old.name.hasSuffix(ending) else { return nil }
        let name = String(old.name.dropLast(ending.count))
        let waiting = RecreationName.ofNew(name, inPlaceOf: old.id)
        guard !name.isEmpty, !list.contains(where: { $0.name == waiting && $0.state.status == .created }) else {
            return nil
        }
        let new = list.first { $0.name == name }
        let isStarted = new.map { $0.state.status != .created } ?? false
        return CutRecreation(name: name, old: target(old), new: new.map(target), isNewStarted: isStarted)
    }

    private static func target(_ container: ContainerSummary) -> EngineAction.Target {
        EngineAction.Target(id: container.id, name: container.name)
    }
}
