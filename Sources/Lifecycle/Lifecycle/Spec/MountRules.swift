import EngineAPI
import Linux

/// Which mounts a container may ask for: docker's rules, in docker's words.
enum MountRules {
    /// - Throws: `invalid`, with the first rule that is broken.
    static func check(_ mounts: [MountSpec]) throws(EngineError) {
        var targets: Set<String> = []
        for mount in mounts {
            let target = PathName.cleaned(mount.target)
            let words = "invalid mount config for type \"\(mount.kind.rawValue)\""
            try require(
                mount.target.hasPrefix("/"),
                "\(words): invalid mount path: '\(mount.target)' mount path must be absolute")
            try checkPlace(mount)
            try require(targets.insert(target).inserted, "Duplicate mount point: \(target)")
            switch mount.kind {
            case .bind: try checkBind(mount, words)
            case .tmpfs: for option in mount.options { try checkMemoryOption(option) }
            case .volume, .image: break
            }
        }
    }

    /// - Throws: `invalid` for a mount in the root's own place.
    static func checkPlace(_ mount: MountSpec) throws(EngineError) {
        try require(
            PathName.cleaned(mount.target) != "/",
            "invalid mount config for type \"\(mount.kind.rawValue)\": invalid specification: destination can't be '/'")
    }

    private static func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(EngineError) {
        if !condition { throw EngineError(.invalid, message()) }
    }

    private static func checkBind(_ mount: MountSpec, _ words: String) throws(EngineError) {
        try require(!mount.source.isEmpty, "\(words): field Source must not be empty")
        try require(
            mount.source.hasPrefix("/"),
            "\(words): invalid mount path: '\(mount.source)' mount path must be absolute")
        guard let propagation = mount.propagation, !propagation.isEmpty else { return }
        try require(
            ["private", "rprivate", "shared", "rshared", "slave", "rslave"].contains(propagation),
            "\(words): invalid propagation mode: \(propagation)")
    }

    /// What tmpfs(5) takes, and the flags of mount(8).
    private static func checkMemoryOption(_ option: String) throws(EngineError) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isKnown =
            parts.count == 1
            ? memoryFlags.contains(option)
            : ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"].contains(parts[0])
        let quoted = parts.map { "\"\($0)\"" }.joined(separator: " ")
        try require(isKnown, "invalid tmpfs option [\(quoted)]")
    }

    private static let memoryFlags: Set<String> = [
        "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "mand",
        "nomand", "remount", "atime", "noatime", "diratime", "nodiratime", "bind", "rbind", "unbindable", "runbindable",
        "private", "rprivate", "shared", "rshared", "slave", "rslave", "relatime", "norelatime", "strictatime",
        "nostrictatime",
    ]
}
