import Glibc
import Linux
import ShimAPI

/// Runs the runtime as a child and waits for it in the loop.
final class RuntimeCaller {
    typealias Completion = (Result<Void, ShimFailure>) -> Void

    private let task: ShimTask
    private let directory: String
    private let loop: EventLoop
    private let reaper: ChildReaper
    private var callCount = 0

    /// - Parameter directory: the shim's own, where the runtime's logs lie while it runs.
    init(task: ShimTask, directory: String, loop: EventLoop, reaper: ChildReaper) {
        self.task = task
        self.directory = directory
        self.loop = loop
        self.reaper = reaper
    }

    /// Starts the runtime; `completion` is called from the loop when it has ended, or at once where it cannot start.
    func call(
        _ command: RuntimeCommand, descriptors: [Descriptor?] = [nil, nil, nil], _ completion: @escaping Completion
    ) {
        callCount += 1
        let logFile = "\(directory)/runtime-\(callCount).log"
        var spawn = Spawn(
            program: task.runtime,
            arguments: [task.runtime] + command.arguments(id: task.id, root: task.runtimeRoot, logFile: logFile))
        spawn.environment = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR=\(directory)",
        ]
        spawn.descriptors = descriptors
        do {
            let pid = try spawn.start()
            wait(for: pid, command, logFile, completion)
        } catch {
            completion(.failure(ShimFailure(.unavailable, "start runtime: \(error)")))
        }
    }

    private func wait(
        for pid: Int32, _ command: RuntimeCommand, _ logFile: String, _ completion: @escaping Completion
    ) {
        var isTimedOut = false
        let alarm = loop.after(milliseconds: command.timeoutMilliseconds) {
            isTimedOut = true
            kill(pid, SIGKILL)
        }
        reaper.wait(for: pid) { [unowned self] status in
            loop.cancel(alarm)
            completion(result(status, command, logFile, isTimedOut: isTimedOut))
        }
    }

    private func result(
        _ status: ChildStatus, _ command: RuntimeCommand, _ logFile: String, isTimedOut: Bool
    ) -> Result<Void, ShimFailure> {
        defer { unlink(logFile) }
        if status.code == 0 { return .success(()) }
        let what = "runtime \(command.name) of `\(task.id)`"
        if isTimedOut {
            let seconds = command.timeoutMilliseconds / 1000
            return .failure(ShimFailure(.unavailable, "\(what): gave up after \(seconds) seconds"))
        }
        // Where there is no log, its exit code is all there is to say.
        let log = (try? FileContents.read(logFile)) ?? []
        guard let message = RuntimeFailure.message(log: log) else {
            return .failure(ShimFailure(.internal, "\(what): exited with code \(status.code) and no message"))
        }
        return .failure(RuntimeFailure.failure(message))
    }
}
