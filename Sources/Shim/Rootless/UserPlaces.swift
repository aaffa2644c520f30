import Glibc
import Linux

/// Where an ordinary user's engine keeps what it has: the XDG base directories, or all of it below one directory.
package struct UserPlaces: Hashable, Sendable {
    /// What outlives a reboot.
    package var dataRoot: String
    /// What belongs to this boot: nobody else may look into it.
    package var runRoot: String
    /// Further runtimes, in docker's form; need not be there.
    package var configurationPath: String
    /// What the user should know of the choice.
    package var note: String?

    /// The user's own engine.
    ///
    /// - Parameters:
    ///   - environment: gives a variable; an empty one counts as unset.
    ///   - isUsable: whether a directory is there and the user's own.
    /// - Throws: where not even a home is known.
    package init(
        uid: UInt32, environment: (String) -> String?, isUsable: (String) -> Bool
    ) throws(RootlessFailure) {
        func absolute(_ name: String) -> String? { environment(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }
        guard let data = absolute("XDG_DATA_HOME") ?? absolute("HOME").map({ PathName.joined($0, ".local/share") })
        else {
            throw RootlessFailure(
                "neither XDG_DATA_HOME nor HOME is set: there is no place for images and containers; set one, or give "
                    + "a directory by --root")
        }
        let settings = absolute("XDG_CONFIG_HOME") ?? absolute("HOME").map { PathName.joined($0, ".config") } ?? data
        dataRoot = PathName.joined(data, "gantry")
        configurationPath = PathName.joined(settings, "gantry/daemon.json")
        if let given = absolute("XDG_RUNTIME_DIR") {
            runRoot = PathName.joined(given, "gantry")
            return
        }
        let usual = "/run/user/\(uid)"
        runRoot = isUsable(usual) ? "\(usual)/gantry" : "/tmp/gantry-\(uid)"
        note = "XDG_RUNTIME_DIR is not set; sockets and what belongs to this boot are in `\(runRoot)`"
    }

    /// An engine of its own below a directory: `--root`.
    package init(root: String) {
        dataRoot = PathName.joined(root, "data")
        runRoot = PathName.joined(root, "run")
        configurationPath = PathName.joined(root, "daemon.json")
    }

    /// Makes the run root, which must be the user's and nobody else's to look into: in /tmp another may have made it
    /// first. Blocking.
    package func prepare(uid: UInt32) throws(RootlessFailure) {
        try attempt("make the run root (XDG_RUNTIME_DIR must be a directory of yours)") { () throws(KernelError) in
            try Directory.create(runRoot, mode: 0o700)
        }
        var facts = stat()
        guard lstat(runRoot, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == uid else {
            throw RootlessFailure("`\(runRoot)` is not a directory of uid \(uid): set XDG_RUNTIME_DIR to one")
        }
        guard facts.st_mode & 0o022 == 0 else {
            throw RootlessFailure("`\(runRoot)` can be written by others: set XDG_RUNTIME_DIR to a directory of yours")
        }
    }

    /// Whether a directory is there and this user's.
    package static func isOwn(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == getuid()
    }
}
