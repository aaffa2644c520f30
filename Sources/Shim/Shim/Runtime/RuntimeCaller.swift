import CLinux
import Glibc
import Linux
import ShimAPI

/// Runs the runtime as a child and waits for it in the loop.
final class RuntimeCaller {
    typealias Completion = (Result<Void, ShimFailure>) -> Void

    private let task: ShimTask
    private let runtime: SealedRuntime
    private let directory: String
    private let loop: EventLoop
    private let reaper: ChildReaper

    /// - Parameter directory: the shim's own, for what the runtime wants to keep while it runs.
    init(task: ShimTask, directory: String, loop: EventLoop, reaper: ChildReaper) {
        self.task = task
        runtime = SealedRuntime(task.runtime)
        self.directory = directory
        self.loop = loop
        self.reaper = reaper
    }

    /// Whether the runtime may be started for an exec before there is one: it reads the process after all else, and makes it
    /// when it is told to.
    var isHeldUntilWanted: Bool { runtime.isOurs }

    /// Starts the runtime; `completion` is called from the loop when it has ended, or at once where it cannot start.
    func call(
        _ command: RuntimeCommand, descriptors: [Descriptor?] = [nil, nil, nil], _ completion: @escaping Completion
    ) {
        let log: Descriptor
        do { log = try Descriptor.memory("runtime-log") } catch {
            return completion(.failure(ShimFailure(.unavailable, "start runtime: \(error)")))
        }
        // Behind the others, where the runtime finds it: a file of a disk would be made and removed at each call.
        let logFile = "/proc/self/fd/\(descriptors.count)"
        var spawn = Spawn(
            program: runtime.program,
            arguments: [task.runtime] + command.arguments(id: task.id, root: task.runtimeRoot, logFile: logFile))
        spawn.environment = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR=\(directory)",
        ]
        spawn.descriptors = descriptors + [log]
        do {
            let pid = try spawn.start()
            wait(for: pid, command, log, completion)
        } catch {
            log.close()
            completion(.failure(ShimFailure(.unavailable, "start runtime: \(error)")))
        }
    }

    private func wait(
        for pid: Int32, _ command: RuntimeCommand, _ log: Descriptor, _ completion: @escaping Completion
    ) {
        var isTimedOut = false
        let alarm = loop.after(milliseconds: command.timeoutMilliseconds) {
            isTimedOut = true
            kill(pid, SIGKILL)
        }
        reaper.wait(for: pid) { [unowned self] status in
            loop.cancel(alarm)
            defer { log.close() }
            completion(result(status, command, log, isTimedOut: isTimedOut))
        }
    }

    private func result(
        _ status: ChildStatus, _ command: RuntimeCommand, _ log: Descriptor, isTimedOut: Bool
    ) -> Result<Void, ShimFailure> {
        if status.code == 0 { return .success(()) }
        let what = "runtime \(command.name) of `\(task.id)`"
        if isTimedOut {
            let seconds = command.timeoutMilliseconds / 1000
            return .failure(ShimFailure(.unavailable, "\(what): gave up after \(seconds) seconds"))
        }
        // Where there is no log, its exit code is all there is to say. The runtime has opened the file for itself, so that
        // it is read from its beginning here.
        let lines = (try? log.readAll(limitBytes: 1 << 20)) ?? []
        guard let message = RuntimeFailure.message(log: lines) else {
            return .failure(ShimFailure(.internal, "\(what): exited with code \(status.code) and no message"))
        }
        return .failure(RuntimeFailure.failure(command, message))
    }
}
