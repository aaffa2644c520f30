import NIOCore

/// Runs a connection's task on the thread of its event loop: what arrives there is handled, and the answer written,
/// without a change of threads, each of which costs more than a small request in all.
///
/// Whatever takes its time belongs elsewhere; see `HTTPServer.Handler`.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
