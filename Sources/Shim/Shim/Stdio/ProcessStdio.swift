import Glibc
import Linux
import ShimAPI

/// The shim's ends of one process's output: two pipes, or the master of a terminal.
final class ProcessStdio {
    private final class Output {
        let kind: OutputKind
        let descriptor: Descriptor
        var watch: EventLoop.Watch?
        /// It is a pipe of the size that pipes are made with.
        var isNarrow: Bool

        init(_ kind: OutputKind, _ descriptor: Descriptor, isPipe: Bool) {
            self.kind = kind
            self.descriptor = descriptor
            isNarrow = isPipe
        }

        /// Lets the process write on while the shim is busy. Only for one that has filled its pipe: the kernel counts the
        /// pages that a user's pipes may take, whether they are full or not.
        func widen() {
            guard isNarrow else { return }
            isNarrow = false
            // Where the user has too much already, the pipe stays as it is.
            try? descriptor.setPipeSize(byteCount: ProcessStdio.widePipeBytes)
        }
    }

    /// Half of what an ordinary user may have: from a quarter on, each further doubling spares less.
    static let widePipeBytes: Int32 = 512 << 10
    /// What a pipe holds as it is made, and what is read at once where it is not to be more.
    private static let narrowPipeBytes = 64 << 10

    private let loop: EventLoop
    private let scratch: ScratchMemory
    private var outputs: [Output] = []
    private var childEnds: [Descriptor?] = [nil, nil, nil]
    private(set) var terminal: Descriptor?
    /// The other end of the terminal, held until the process is reaped: while nobody has it open, reading the master fails
    /// and so does writing, though the process may open it again, as init programs do with /dev/console.
    private var peer: Descriptor?
    private var isReading = false
    private var isHeld = false
    /// Whether as much is read at once as there is room for: the fewer pieces, the less a stream costs all who pass it on.
    var readsInBulk = false
    var onOutput: (UnsafeRawBufferPointer, OutputKind) -> Void = { _, _ in }
    /// Called once, when the last output has ended.
    var onEnd: () -> Void = {}

    /// - Parameter scratch: what is read into; its size is the most that one read takes.
    init(_ loop: EventLoop, scratch: ScratchMemory) {
        self.loop = loop
        self.scratch = scratch
    }

    var hasEnded: Bool { outputs.isEmpty }

    /// Makes the pipes; `input` gets the end to write to, where there is one.
    ///
    /// - Parameter ids: of a container with a user namespace, whose root must own what it opens anew by /dev/stdout.
    /// - Returns: what the runtime is to have as descriptors 0, 1, 2, until `closeChildEnds`.
    func openPipes(input: InputQueue?, ids: ShimTask.FileIDs?) throws(KernelError) -> [Descriptor?] {
        if let input {
            let (reading, writing) = try Descriptor.pipe()
            childEnds[0] = reading
            try writing.setNonBlocking()
            input.open(writing, isTerminal: false)
        }
        for (index, kind) in [(1, OutputKind.stdout), (2, .stderr)] {
            let (reading, writing) = try Descriptor.pipe()
            childEnds[index] = writing
            outputs.append(Output(kind, reading, isPipe: true))
            try reading.setNonBlocking()
        }
        if let ids {
            for end in childEnds.compactMap({ $0 }) {
                try kernelCall("chown") { fchown(end.rawValue, ids.rootUID, ids.rootGID) }
            }
        }
        return childEnds
    }

    /// From here on the pipes end when the container's last process closes them.
    func closeChildEnds() {
        for end in childEnds { end?.close() }
        childEnds = [nil, nil, nil]
    }

    /// Takes over the master of the process's terminal.
    func adopt(terminal master: Descriptor, input: InputQueue?) throws(KernelError) {
        terminal = master
        outputs = [Output(.stdout, master, isPipe: false)]
        try master.setNonBlocking()
        do { peer = try PseudoTerminal.peer(of: master) } catch {
            Diagnostics.note("the terminal ends where no process has it open: \(error)")
        }
        guard let input else { return }
        // epoll takes one registration of a descriptor, and output and input wait on their own.
        let copy = try kernelCall("duplicate descriptor") { fcntl(master.rawValue, F_DUPFD_CLOEXEC, 0) }
        input.open(Descriptor(rawValue: copy), isTerminal: true)
    }

    func startReading() throws(KernelError) {
        isReading = true
        if !isHeld { try watchOutputs() }
    }

    /// Leaves what is written in the pipes, so that the process waits once they are full; or reads on.
    func hold(_ isHeld: Bool) {
        guard isHeld != self.isHeld else { return }
        self.isHeld = isHeld
        if isHeld {
            // Forgotten, not only silenced: the kernel would still tell of an end that is not to be read yet.
            for output in outputs {
                if let watch = output.watch { loop.forget(watch) }
                output.watch = nil
            }
        } else if isReading {
            do { try watchOutputs() } catch {
                Diagnostics.note("read on: \(error)")
                close()
                onEnd()
            }
        }
    }

    private func watchOutputs() throws(KernelError) {
        for output in outputs where output.watch == nil {
            output.watch = try loop.watch(output.descriptor, .readable) { [unowned self, unowned output] _ in
                _ = readOnce(output)
            }
        }
    }

    /// The process is reaped: from here on the terminal ends when the last who has it open closes it.
    func releaseTerminal() {
        peer?.close()
        peer = nil
    }

    /// Reads what is there now, for as long as a pipe can hold; then whatever still comes, comes through the loop.
    func drain() {
        for output in outputs {
            var left = 64
            while left > 0, readOnce(output) { left -= 1 }
        }
    }

    func close() {
        closeChildEnds()
        releaseTerminal()
        let open = outputs
        outputs = []
        for output in open {
            if let watch = output.watch { loop.forget(watch) }
            output.descriptor.close()
        }
        terminal = nil
    }

    /// Whether there may be more at once.
    private func readOnce(_ output: Output) -> Bool {
        do {
            let buffer = room(for: output)
            let count = try read(output, into: buffer)
            if count > 0 {
                if count >= Self.narrowPipeBytes { output.widen() }
                onOutput(UnsafeRawBufferPointer(rebasing: buffer[..<count]), output.kind)
                return true
            }
        } catch {
            if error.errno == .wouldBlock { return false }
            // A terminal's master gives EIO when nobody has the terminal open any more: its end.
        }
        end(output)
        return false
    }

    private func room(for output: Output) -> UnsafeMutableRawBufferPointer {
        let buffer = scratch.buffer
        guard !readsInBulk || output.descriptor == terminal else { return buffer }
        return UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Self.narrowPipeBytes))
    }

    /// A pipe gives all that it has by one read(2); a terminal gives 4 KiB at most, each of which would be a frame, and a
    /// wake-up of all who read it.
    private func read(_ output: Output, into buffer: UnsafeMutableRawBufferPointer) throws(KernelError) -> Int {
        var count = try output.descriptor.read(into: buffer)
        guard count > 0, output.descriptor == terminal else { return count }
        while count < buffer.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            // Nothing more now, or never again: the next call tells which.
            guard let more = try? output.descriptor.read(into: room), more > 0 else { break }
            count += more
        }
        return count
    }

    private func end(_ output: Output) {
        guard let index = outputs.firstIndex(where: { $0 === output }) else { return }
        outputs.remove(at: index)
        if let watch = output.watch { loop.forget(watch) }
        output.descriptor.close()
        if output.descriptor == terminal { terminal = nil }
        if outputs.isEmpty { onEnd() }
    }
}
