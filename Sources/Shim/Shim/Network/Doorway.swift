import Glibc
import Linux

/// A listening socket in the loop, whose connections are taken a bounded number a turn.
///
/// Where the kernel has no descriptor or memory for one, it is left waiting for a while: the socket stays ready, and the
/// loop would do nothing but ask again.
final class Doorway {
    private static let turnLimit = 16
    private static let pauseMilliseconds: Int64 = 100

    private let loop: EventLoop
    private let listener: Descriptor
    private let onConnection: (Descriptor) -> Void
    private var watch: EventLoop.Watch?
    private var alarm: EventLoop.Alarm?
    private var hasComplained = false

    /// - Parameter onConnection: takes the connection over, which does not block.
    init(
        _ loop: EventLoop, _ listener: Descriptor, onConnection: @escaping (Descriptor) -> Void
    ) throws(KernelError) {
        self.loop = loop
        self.listener = listener
        self.onConnection = onConnection
        watch = try loop.watch(listener, .readable) { [unowned self] _ in accept() }
    }

    /// The listener is its owner's to close.
    func close() {
        if let watch { loop.forget(watch) }
        loop.cancel(alarm)
        (watch, alarm) = (nil, nil)
    }

    private func accept() {
        for _ in 0..<Self.turnLimit where watch != nil {
            do throws(KernelError) {
                onConnection(try UnixSocket.accept(listener))
            } catch {
                switch error.errno.rawValue {
                case EAGAIN: return
                case ECONNABORTED: continue
                default: return pause(error)
                }
            }
        }
    }

    private func pause(_ reason: KernelError) {
        guard let watch else { return }
        if !hasComplained { Diagnostics.note("connections wait: \(reason)") }
        hasComplained = true
        loop.change(watch, [])
        alarm = loop.after(milliseconds: Self.pauseMilliseconds) { [unowned self] in
            alarm = nil
            if let watch = self.watch { loop.change(watch, .readable) }
        }
    }
}
