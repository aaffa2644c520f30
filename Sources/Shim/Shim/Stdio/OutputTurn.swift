import Linux
import ShimAPI

/// The time between an engine's word that output is to go to a client's own connection and that connection's coming, which
/// is when the client has all that came by the engine.
final class OutputTurn {
    let heads: ShimOutputHeads
    /// Whether the engine knows that nothing comes by its own connection any more.
    var isTold = false
    private let loop: EventLoop
    private let door: Descriptor
    private var watch: EventLoop.Watch?

    /// - Parameters:
    ///   - door: where the connection comes by; taken over.
    ///   - onEnd: called once, with what has come: nil where there is none.
    init(
        _ loop: EventLoop, _ door: Descriptor, _ heads: ShimOutputHeads, onEnd: @escaping (Descriptor?) -> Void
    ) throws(KernelError) {
        (self.loop, self.door, self.heads) = (loop, door, heads)
        watch = try loop.watch(door, .readable) { [unowned self] _ in
            // That nothing has come tells what an error would.
            let target = try? UnixSocket.receiveDescriptor(door)
            close()
            onEnd(target)
        }
    }

    /// Waits no longer.
    func close() {
        guard let watch else { return }
        loop.forget(watch)
        self.watch = nil
        door.close()
    }
}
