import Glibc
import Linux

/// A client's own connection, lent by the engine: its input goes from there to the process past the engine, and where it can
/// past this process's memory, too.
///
/// It lives until it has ended, or is closed.
final class InputSource {
    /// What is passed on before others have their turn: all that a pipe holds.
    private static let turnBytes = Int(ProcessStdio.widePipeBytes)

    private let loop: EventLoop
    private let descriptor: Descriptor
    private let input: InputQueue
    private let scratch: ScratchMemory
    private var watch: EventLoop.Watch?
    private var isClosed = false
    /// Called once, when all is taken.
    private let whenEnded: () -> Void

    /// - Parameter descriptor: taken over.
    init(
        _ loop: EventLoop, _ descriptor: Descriptor, to input: InputQueue, scratch: ScratchMemory,
        whenEnded: @escaping () -> Void
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.input = input
        self.scratch = scratch
        self.whenEnded = whenEnded
    }

    /// Begins, or goes on.
    func resume() {
        guard !isClosed, watch == nil else { return }
        do { watch = try loop.watch(descriptor, .readable) { [self] _ in pass() } } catch {
            Diagnostics.note("read a client's input: \(error)")
            end()
        }
    }

    /// The engine has done with it, or is dead. A client that is gone has sent all that it ever will, which is still taken;
    /// one that is there is not to be kept by what nobody passes its output to.
    func leave() {
        if !isHungUp { close() }
    }

    /// Whether the client is gone, and does not only send no more.
    private var isHungUp: Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: 0, revents: 0)
        // Any event is a hang-up, or an error.
        return poll(&entry, 1, 0) != 0
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        pause()
        descriptor.close()
    }

    /// Not only silenced: the kernel would still tell of an end that is not to be read yet.
    private func pause() {
        if let watch { loop.forget(watch) }
        watch = nil
    }

    private func pass() {
        do {
            switch try input.pass(from: descriptor, upTo: Self.turnBytes) {
            case .moved(0): end()
            case .moved, .nothingThere: break
            case .noRoom:
                pause()
                input.whenReady { [self] in resume() }
            case .notByThis: try give()
            }
        } catch {
            // Reset: it went away in the middle.
            if error.errno != .wouldBlock { end() }
        }
    }

    private func give() throws(KernelError) {
        let buffer = scratch.buffer
        let count = try descriptor.read(into: buffer)
        guard count > 0 else { return end() }
        input.write(Array(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        guard input.isFull else { return }
        pause()
        input.whenSpace { [self] in resume() }
    }

    private func end() {
        guard !isClosed else { return }
        // What it means that a client is gone, the engine knows.
        if !isHungUp { input.end() }
        close()
        whenEnded()
    }
}
