import EngineAPI
import Glibc
import Lifecycle
import Linux

/// What an engine needs of its machine, checked before anything is made.
enum Requirements {
    /// Blocking.
    static func check(_ configuration: LocalEngineConfiguration) throws(EngineError) {
        guard geteuid() == 0 else {
            throw EngineError(
                .denied,
                "permission denied: the engine must be run by root, of the machine or of a user namespace (this is uid "
                    + "\(geteuid()))")
        }
        if !UserNamespace.isOwn { try checkCgroups() }
        try checkProgram(configuration.shimPath, "gantry-shim", "GANTRY_SHIM")
        try checkProgram(configuration.runtimePath, "gantry-runtime", "GANTRY_RUNTIME")
    }

    private static func checkCgroups() throws(EngineError) {
        let layout: CgroupLayout
        do { layout = try CgroupLayout.current() } catch { throw EngineError(error) }
        guard layout.unifiedMountPoint != nil || !layout.legacy.isEmpty else {
            throw EngineError(
                .unsupported, "no cgroups are mounted: mount cgroup2 on /sys/fs/cgroup, or run where it is mounted")
        }
    }

    private static func checkProgram(_ path: String, _ name: String, _ variable: String) throws(EngineError) {
        guard access(path, X_OK) == 0 else {
            throw EngineError(
                .unavailable, "`\(path)` cannot be executed: install \(name) beside gantry, or name it by \(variable)")
        }
    }
}
