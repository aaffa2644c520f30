import Glibc
import Linux

/// How a child ended, as wait(2) says it.
struct ChildStatus: Hashable {
    /// The program's code, or 128 + signal.
    let code: Int32
    let time: Timestamp

    init(waitStatus: Int32, time: Timestamp) {
        let signal = waitStatus & 0x7F
        code = signal == 0 ? (waitStatus >> 8) & 0xFF : 128 + signal
        self.time = time
    }
}

/// Reaps every child of this process, its own and those that it inherits as subreaper, and tells who waits for one.
final class ChildReaper {
    private let signals: SignalFD
    private var waiting: [Int32: (ChildStatus) -> Void] = [:]
    /// Ended before anybody asked: a runtime may start a process that ends before the runtime says its pid.
    private var unclaimed: [Int32: ChildStatus] = [:]
    private var expectedCount = 0

    init(_ loop: EventLoop) throws(KernelError) {
        signals = try SignalFD(blocking: [SIGCHLD])
        _ = try loop.watch(signals.descriptor, .readable) { [unowned self] _ in
            while signals.next() != nil {}
            reap()
        }
    }

    /// Calls `body` once when the child has ended, at once where it has already.
    func wait(for pid: Int32, _ body: @escaping (ChildStatus) -> Void) {
        if let status = unclaimed.removeValue(forKey: pid) { body(status) } else { waiting[pid] = body }
    }

    /// From here to `endExpecting`, ends of unknown children are kept, as one of them may be asked for later.
    func beginExpecting() { expectedCount += 1 }

    func endExpecting() {
        expectedCount -= 1
        if expectedCount == 0 { unclaimed = [:] }
    }

    private func reap() {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            let ended = ChildStatus(waitStatus: status, time: .now())
            if let body = waiting.removeValue(forKey: pid) {
                body(ended)
            } else if expectedCount > 0 {
                unclaimed[pid] = ended
            }
        }
    }
}
