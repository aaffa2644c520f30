import CLI
import Glibc
import Linux
import LocalEngine
import Rootless

/// A start without the rights of root: the program moves into namespaces of the user's own, in which it is root, and is
/// the same from there on.
///
/// All of them enter, also those that only visit another's engine: whoever hosts may go, and the next takes over.
enum OrdinaryUser {
    /// What needs no engine, and so no namespaces.
    private static let plainCommands: Set<String> = ["--help", "-h", "help", "completion", "context"]

    /// Must come while the program has one thread.
    ///
    /// - Returns: nil for root, and for who drives another engine.
    static func enter(_ options: GlobalOptions, command: String?) throws(RootlessFailure) -> RootlessSession? {
        guard geteuid() != 0 else { return nil }
        if let command, plainCommands.contains(command) { return nil }
        // A choice that cannot be made is told where an engine is needed; without a home, that is the cause.
        let choice = try? EngineChooser(options, environment: Settings.environment).choice()
        if case .remote? = choice { return nil }
        let places = try places(options.root ?? Settings.variable("GANTRY_ROOT"))
        guard case .own? = choice else { return nil }
        let name = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
        let ids = UserIDs.current(name: name)
        let shim = LocalEngineConfiguration().shimPath
        let (line, isNew) = try NamespaceEntry(places: places, shimPath: shim, ids: ids).enter()
        let session = try RootlessSession(places: places, line: line, ids: ids, shimPath: shim)
        // Once, when it begins to matter; afterwards `info` has it.
        if isNew { for note in session.notes { Complaint.say("gantry: note: \(note)") } }
        return session
    }

    private static func places(_ root: String?) throws(RootlessFailure) -> UserPlaces {
        if let root { return UserPlaces(root: LocalEngineConfiguration.absolute(root)) }
        return try UserPlaces(uid: getuid(), environment: Settings.variable, isUsable: UserPlaces.isOwn)
    }
}
