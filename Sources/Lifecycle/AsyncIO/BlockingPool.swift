import Glibc

/// Threads for work that blocks: file system calls, hashing, waiting for a child. Keeps such work off the cooperative
/// pool, whose few threads must always go on.
///
/// Threads are made on demand up to the limit, and end after ten idle seconds; work beyond that waits in order.
package final class BlockingPool: Sendable {
    /// The process's pool for what is short: starts and ends of containers wait for it.
    package static let shared = BlockingPool(maximumThreads: 8)
    /// For layers being unpacked, packed and made of containers' files: each takes as long as it has bytes.
    package static let layers = BlockingPool(maximumThreads: 4)
    /// For trees being walked and removed: each takes as long as it has files.
    package static let trees = BlockingPool(maximumThreads: 4)

    private let queue: JobQueue

    package init(maximumThreads: Int) { queue = JobQueue(maximumThreads: max(1, maximumThreads)) }

    /// Runs `body` on a thread of the pool and gives its result. Work that has begun is not interrupted when the calling
    /// task is cancelled; long work looks at a flag of its own.
    package func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.submit {
                let result: Result<Value, Failure>
                do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }
}

/// A task that prefers a pool runs on its threads, and so may block itself: one whose work is mostly that has no change of
/// threads for each piece of it then.
extension BlockingPool: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.submit { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

/// The pool's jobs and how many threads serve them.
///
/// Safety: `pending`, `threadCount` and `idleCount` are touched only with `mutex` held; the mutex and the condition
/// live at fixed addresses from init to deinit.
private final class JobQueue: @unchecked Sendable {
    typealias Job = @Sendable () -> Void

    private let maximumThreads: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var pending: [Job] = []
    private var threadCount = 0
    private var idleCount = 0

    init(maximumThreads: Int) {
        self.maximumThreads = maximumThreads
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        arrival.deallocate()
        mutex.deallocate()
    }

    func submit(_ job: @escaping Job) {
        pthread_mutex_lock(mutex)
        pending.append(job)
        let wantsThread = idleCount < pending.count && threadCount < maximumThreads
        if wantsThread { threadCount += 1 }
        pthread_cond_signal(arrival)
        pthread_mutex_unlock(mutex)
        if wantsThread, !startThread({ [self] in serve() }) { threadRefused() }
    }

    /// The system has no thread left. Where one of ours lives it will take the job; else the caller must do it itself,
    /// because nobody else ever would.
    private func threadRefused() {
        pthread_mutex_lock(mutex)
        threadCount -= 1
        let orphans = threadCount == 0 ? pending : []
        if threadCount == 0 { pending = [] }
        pthread_mutex_unlock(mutex)
        for job in orphans { job() }
    }

    private func serve() {
        while let job = next() { job() }
    }

    /// The next job; nil when this thread has idled long enough and shall end.
    private func next() -> Job? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += 10
        while pending.isEmpty {
            idleCount += 1
            let status = pthread_cond_timedwait(arrival, mutex, &deadline)
            idleCount -= 1
            if status == ETIMEDOUT, pending.isEmpty {
                threadCount -= 1
                return nil
            }
        }
        return pending.removeFirst()
    }
}
