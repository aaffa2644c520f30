import Glibc
import Linux

/// Where below the container's cgroup a further process goes (`exec --cgroup`): one path for all controllers, or paths
/// by controller.
package struct SubCgroups: Hashable, Sendable {
    /// Relative to the container's cgroup, by controller; under the empty name, the path for all.
    package var paths: [String: String] = [:]

    package init() {}

    /// Each word is `PATH` or `CONTROLLER[,CONTROLLER…]:PATH`.
    package init(_ words: [String]) throws(RuntimeError) {
        for word in words {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                guard words.count == 1 else {
                    throw RuntimeError("invalid --cgroup argument: \(word) (missing <controller>: prefix)")
                }
                paths[""] = try Self.checked(word)
                continue
            }
            for controller in parts[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                guard !controller.isEmpty else {
                    throw RuntimeError("invalid --cgroup argument: \(word) (empty <controller> prefix)")
                }
                guard paths[controller] == nil else {
                    throw RuntimeError(
                        "invalid --cgroup argument(s): controller \(controller) specified multiple times")
                }
                paths[controller] = try Self.checked(parts[1])
            }
        }
    }

    private static func checked(_ path: String) throws(RuntimeError) -> String {
        guard !path.split(separator: "/").contains("..") else { throw RuntimeError("bad sub cgroup path: \(path)") }
        return path
    }

    /// The directory of version 2 that the process is born in; nil where the machine has none.
    ///
    /// Beside version 1, a path for all may be missing there: the container's own is as good then.
    func unifiedDirectory(of cgroup: Cgroup) -> String? {
        guard let base = cgroup.layout.unifiedDirectory(of: cgroup.path) else { return nil }
        guard let path = paths[""], !path.isEmpty else { return base }
        let below = PathName.joined(base, path)
        return cgroup.layout.mode == .unified || access(below, F_OK) == 0 ? below : base
    }

    /// The way of a process into the container's cgroups of version 1, or below them.
    func entry(to cgroup: Cgroup, with extra: [String]) throws(RuntimeError) -> CgroupEntry {
        guard cgroup.layout.mode != .unified else {
            if let name = paths.keys.first(where: { !$0.isEmpty }) { throw Self.unknown(name) }
            return try attempt { () throws(KernelError) in try CgroupEntry(directories: []) }
        }
        let unified = cgroup.layout.unifiedDirectory(of: cgroup.path)
        var places: [String: String] = [:]
        for directory in cgroup.directories(with: extra) where directory != unified {
            places[directory] = PathName.joined(directory, paths[""] ?? "")
        }
        for (controller, path) in paths where !controller.isEmpty {
            guard let base = cgroup.layout.directory(of: cgroup.path, controller: controller), places[base] != nil
            else { throw Self.unknown(controller) }
            places[base] = PathName.joined(base, path)
        }
        let directories = places.values.sorted()
        return try attempt("error adding pid to cgroups") { () throws(KernelError) in
            try CgroupEntry(directories: directories)
        }
    }

    private static func unknown(_ controller: String) -> RuntimeError {
        RuntimeError("unknown controller \(controller) in SubCgroupPaths")
    }
}
