import EngineAPI
import Lifecycle
import Synchronization

/// A step of a transfer, of which some are but counts.
protocol TransferStep: Sendable {
    /// Whether this step makes an earlier one void: a newer count of the same layer.
    func supersedes(_ earlier: Self) -> Bool
    /// Whether both are of one layer, so that none may overtake the other.
    func isOfSameLayer(as other: Self) -> Bool
}

/// A pull, a push or a load under way. It ends with its last reader.
///
/// Progress comes faster than anybody reads: of the bytes of a layer only the newest count is kept, of its states every
/// one, in their order.
final class TransferSession<Step: TransferStep>: Sendable {
    private struct Mailbox {
        var steps: [Step] = []
        var isOver = false
        var failure: EngineError?

        mutating func put(_ step: Step) {
            if let index = steps.lastIndex(where: { $0.isOfSameLayer(as: step) }), step.supersedes(steps[index]) {
                steps[index] = step
            } else {
                steps.append(step)
            }
        }
    }

    private final class Progress: Sendable {
        let mailbox = Mutex(Mailbox())
        let signal = ChangeSignal()

        func put(_ step: Step) {
            mailbox.withLock { $0.put(step) }
            signal.notify()
        }

        func end(_ failure: EngineError?) {
            mailbox.withLock { mailbox in
                mailbox.isOver = true
                mailbox.failure = failure
            }
            signal.notify()
        }
    }

    private let progress = Progress()
    private let work: Task<Void, Never>

    init(
        _ body:
            @escaping @Sendable (@escaping @Sendable (Step) -> Void) async throws(EngineError) -> Void
    ) {
        let progress = progress
        work = Task {
            do throws(EngineError) {
                try await body { progress.put($0) }
                progress.end(nil)
            } catch {
                progress.end(error)
            }
        }
    }

    deinit { work.cancel() }

    func next() async throws -> Step? {
        while true {
            let generation = progress.signal.generation
            let (step, isOver, failure) = progress.mailbox.withLock { mailbox in
                (mailbox.steps.isEmpty ? nil : mailbox.steps.removeFirst(), mailbox.isOver, mailbox.failure)
            }
            if let step { return step }
            // Not a Result: its typed `get` here makes the optimizer of Swift 6.3.1 crash.
            if let failure { throw failure }
            if isOver { return nil }
            await progress.signal.wait(after: generation)
            try Task.checkCancellation()
        }
    }
}

extension ImageTransferProgress: TransferStep {
    func supersedes(_ earlier: ImageTransferProgress) -> Bool { isCount && earlier.isCount }

    func isOfSameLayer(as other: ImageTransferProgress) -> Bool {
        guard case .layer(let digest, _) = self, case .layer(let otherDigest, _) = other else { return false }
        return digest == otherDigest
    }

    /// One of many counts of bytes, of which only the newest is of interest.
    private var isCount: Bool {
        guard case .layer(_, let step) = self else { return false }
        return switch step {
        case .downloading, .unpacking, .pushing: true
        default: false
        }
    }
}

extension ImageLoadProgress: TransferStep {
    func supersedes(_ earlier: ImageLoadProgress) -> Bool { true }

    func isOfSameLayer(as other: ImageLoadProgress) -> Bool {
        guard case .layer(let digest, _, _) = self, case .layer(let otherDigest, _, _) = other else { return false }
        return digest == otherDigest
    }
}
