import CLinux
import Glibc
import Linux
import ShimAPI

/// The program `gantry-shim`: one container's parent.
///
///     gantry-shim -id ID -dir DIRECTORY
///
/// Descriptor 3 is its socket, bound and listening already, so that nobody has to wait for it; the directory holds
/// `task.json`. It goes on whatever happens to who started it, and ends when it is told to delete its container.
package enum ShimProgram {
    private static let listener = Descriptor(rawValue: 3)

    /// Runs the shim to its end; the exit code is 0 unless it could not begin.
    package static func run(arguments: [String]) -> Int32 {
        do {
            let path = try directoryPath(arguments)
            try detach()
            try supervise(RunDirectory(path: path))
            return 0
        } catch {
            Diagnostics.note("gantry-shim: \(error)")
            return 1
        }
    }

    private static func directoryPath(_ arguments: [String]) throws(ShimFailure) -> String {
        guard arguments.count == 5, arguments[1] == "-id", arguments[3] == "-dir" else {
            throw ShimFailure(.invalid, "usage: gantry-shim -id ID -dir DIRECTORY (started by gantry)")
        }
        return arguments[4]
    }

    /// Leaves the session and the fate of who started it, and takes in the orphans of its own children.
    private static func detach() throws(KernelError) {
        // Fails where it leads a session already, which is what is wanted.
        _ = setsid()
        for ignored in [SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2] { signal(ignored, SIG_IGN) }
        umask(0o022)
        try kernelCall("change to", "/") { chdir("/") }
        // PR_SET_CHILD_SUBREAPER
        try kernelCall("become a subreaper") { gantry_prctl(36, 1, 0, 0, 0) }
    }

    /// Leaves the cgroup of who started it. Where that cannot be, the shim is where it was, and serves as well.
    private static func leave(for cgroup: String) {
        do throws(KernelError) { try CgroupEntry(directories: [cgroup]).enter() } catch {
            Diagnostics.note("gantry-shim: cannot leave the engine's cgroup: \(error)")
        }
    }

    private static func supervise(_ directory: RunDirectory) throws {
        let loop = try EventLoop()
        let reaper = try ChildReaper(loop)
        let task = try directory.readTask()
        if let cgroup = task.shimCgroup { leave(for: cgroup) }
        let supervisor = try ContainerSupervisor(task: task, directory: directory, loop: loop, reaper: reaper)
        try kernelCall("set close-on-exec") { gantry_fcntl_int(listener.rawValue, F_SETFD, FD_CLOEXEC) }
        try listener.setNonBlocking()
        let doorway = try Doorway(loop, listener) { supervisor.serve($0) }
        defer { doorway.close() }
        supervisor.endIfForgotten()
        try loop.run()
    }
}
