import Linux

/// Where an engine keeps what it has.
package struct EngineRoots: Hashable, Sendable {
    /// What outlives a reboot.
    package var data: String
    /// What belongs to this boot.
    package var run: String
    /// The cgroup of all containers, below each hierarchy's root.
    package var cgroupParent: String

    package init(data: String, run: String, cgroupParent: String) {
        self.data = data
        self.run = run
        self.cgroupParent = cgroupParent
    }

    package var lock: String { data + "/engine.lock" }
    package var database: String { data + "/gantry.db" }
    package var containers: String { data + "/containers" }
    package var snapshots: String { data + "/snapshots" }
    package var volumes: String { data + "/volumes" }
    package var bundles: String { run + "/bundles" }

    /// A container's own files: its log, and those bound over its /etc.
    package func files(_ id: String) -> String { "\(containers)/\(id)" }
    package func log(_ id: String) -> String { "\(files(id))/\(id)-json.log" }
    package func bundle(_ id: String) -> String { "\(bundles)/\(id)" }

    /// The cgroup of all shims: no container's id is a word.
    package var shimCgroup: String { "\(cgroupParent)/shims" }

    /// The path of a container's cgroup.
    ///
    /// - Parameter parent: of the caller's choosing, below what this engine may use; nil for the engine's own.
    package func cgroup(_ id: String, below parent: String?) -> String {
        guard let parent else { return "\(cgroupParent)/\(id)" }
        let chosen = PathName.cleaned("/" + parent)
        let top = PathName.split(cgroupParent).parent
        return PathName.cleaned("\(top)\(chosen)/\(id)")
    }
}
