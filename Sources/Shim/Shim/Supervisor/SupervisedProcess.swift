import Linux
import ShimAPI

/// The init process, or an exec's: its stdio, who is attached to it, what became of it.
final class SupervisedProcess {
    /// What a client that is too slow may be behind before it loses the oldest.
    static let attachmentBytes = 256 << 10
    /// What a client that comes late can still see of a terminal, or of an exec that nobody had attached to.
    static let recentBytes = 64 << 10

    enum Role: Hashable {
        case initial
        /// - Parameter id: nil as long as it is for whichever exec comes next.
        case exec(_ id: String?)
    }

    private(set) var role: Role
    /// How the exec was foretold, as the next one is likely to be; nil where it was not.
    private(set) var foretold: ExecForm?
    let stdio: ProcessStdio
    let input: InputQueue
    /// Nil for an exec that was attached to and not started yet.
    var process: ShimProcess?
    /// Its pid may be another's from here on.
    var isReaped = false
    private(set) var isTerminal = false
    private(set) var attachments: [Attachment] = []
    private(set) var hasEnded = false
    private var recent: OutputRing?
    private var recentCapacity = SupervisedProcess.recentBytes
    private var log: ContainerLog?
    private var keepsRecent = true
    /// Counts how often somebody who is to come again has left.
    private var absences = 0
    /// Whether such a one is being waited for: output is not read.
    private var isAwaited = false

    init(_ role: Role, stdio: ProcessStdio, input: InputQueue) {
        self.role = role
        self.stdio = stdio
        self.input = input
        stdio.onOutput = { [unowned self] bytes, kind in deliver(bytes, kind) }
    }

    /// Nil for the init process.
    var execID: String? { if case .exec(let id) = role { id } else { nil } }

    /// From here on it is this exec's.
    func become(_ id: String, foretold form: ExecForm) {
        role = .exec(id)
        foretold = form
    }

    func configure(terminal: Bool, input mode: ShimInput, log: ContainerLog?) {
        isTerminal = terminal
        self.log = log
        // The init process's output is in its log; only a terminal's picture is worth showing again.
        keepsRecent = terminal || (role != .initial && attachments.isEmpty)
        if mode == .none { input.discard() }
    }

    /// Whether anything was written that nobody has seen.
    var holdsUnseenOutput: Bool { !isTerminal && recent != nil }

    func attach(_ attachment: Attachment) {
        attachment.onRoom = { [unowned self] in holdBack() }
        // Before anything is sent: who turns out to have gone is detached by that.
        attachments.append(attachment)
        isAwaited = false
        if attachment.request.replay, let recent {
            for part in recent.replay() {
                part.bytes.withUnsafeBytes { attachment.deliver($0, part.kind) }
            }
        }
        if !isTerminal {
            keepsRecent = false
            recent = nil
        }
        if hasEnded { attachment.end() }
        holdBack()
    }

    /// A client went away. The input stays open, whoever went: an engine that died is followed by another, and a program
    /// must not notice. Who means to end the input says so.
    func detach(_ attachment: Attachment) {
        attachments.removeAll { $0 === attachment }
        holdBack()
    }

    /// Leaves output in the pipes until somebody attaches, or the absence that this gives is ended.
    func beginAbsence() -> Int {
        absences += 1
        isAwaited = true
        holdBack()
        return absences
    }

    /// Whether nobody has come meanwhile.
    @discardableResult
    func endAbsence(_ number: Int) -> Bool {
        guard number == absences, isAwaited else { return false }
        isAwaited = false
        holdBack()
        return true
    }

    /// The process has ended: what lies in its pipes is kept where somebody is to come again for it.
    func keepForSuccessor() {
        guard isAwaited, !isTerminal else { return }
        keepsRecent = true
        recentCapacity = 2 * Int(ProcessStdio.widePipeBytes)
    }

    /// Output is read for as long as all clients that must not lose any have room for it.
    private func holdBack() {
        guard !hasEnded else { return }
        // A ring of what is on its way to others has room for less.
        stdio.readsInBulk = !attachments.isEmpty && attachments.allSatisfy(\.isDirect)
        stdio.hold(isAwaited || attachments.contains { $0.isFull })
    }

    /// Reads what lies in the process's pipes, which has ended.
    func drainOutput() { stdio.drain() }

    /// Writes what the log still holds; output after this is not logged.
    func closeLog() {
        log?.finish()
        log = nil
    }

    /// No output will come any more: what is held is written, and who listens is told.
    func endOutput() {
        guard !hasEnded else { return }
        hasEnded = true
        stdio.close()
        input.close()
        closeLog()
        for attachment in attachments { attachment.end() }
    }

    private func deliver(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        log?.append(bytes, kind)
        for attachment in attachments { attachment.deliver(bytes, kind) }
        holdBack()
        guard keepsRecent else { return }
        if recent == nil { recent = OutputRing(capacityBytes: recentCapacity) }
        recent?.append(bytes, kind)
    }
}
