import EngineAPI
import EngineContract
import Testing

/// The contract on an engine of others. A rule that is listed as different and holds after all is a failure, so that
/// lists stay true.
enum PeerContract {
    enum Difference: Sendable {
        case always(String)
        /// A race decides.
        case sometimes(String)
    }

    /// No rule takes nearly so long, on a loaded machine either.
    private static let ruleLimit: Duration = .seconds(90)

    /// - Parameter differences: rules that are not kept, each with the reason.
    static func check(_ engine: any Engine, _ differences: [String: Difference]) async {
        let rules = Set(ContractCase.all.map(\.rule))
        for rule in differences.keys { #expect(rules.contains(rule), "there is no rule `\(rule)`") }
        for rule in ContractCase.all {
            let difference = differences[rule.rule]
            do {
                try await run(rule, on: engine)
                if case .always(let reason)? = difference { Issue.record("\(rule) holds after all: \(reason)") }
            } catch {
                if difference == nil { Issue.record("\(rule): \(error)") }
            }
        }
    }

    /// Gives a rule up that an engine answers never: what waits for the answer is cancelled, and waited for no longer.
    private static func run(_ rule: ContractCase, on engine: any Engine) async throws {
        let outcome = FirstOutcome()
        let work = Task {
            do {
                try await rule.run(on: engine)
                outcome.settle(nil)
            } catch {
                outcome.settle(error)
            }
        }
        let limit = Task {
            try await Task.sleep(for: ruleLimit)
            outcome.settle(ContractFailure(description: "no end after \(ruleLimit)"))
        }
        defer {
            work.cancel()
            limit.cancel()
        }
        if let failure = await outcome.failure { throw failure }
    }
}

/// What comes first of several outcomes, for one who waits.
private final class FirstOutcome: Sendable {
    private let (stream, continuation) = AsyncStream.makeStream(of: (any Error)?.self)

    func settle(_ failure: (any Error)?) {
        continuation.yield(failure)
        continuation.finish()
    }

    var failure: (any Error)? {
        get async {
            for await failure in stream { return failure }
            return CancellationError()
        }
    }
}
