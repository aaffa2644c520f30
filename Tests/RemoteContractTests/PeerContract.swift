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

    /// - Parameter differences: rules that are not kept, each with the reason.
    static func check(_ engine: any Engine, _ differences: [String: Difference]) async {
        let rules = Set(ContractCase.all.map(\.rule))
        for rule in differences.keys { #expect(rules.contains(rule), "there is no rule `\(rule)`") }
        for rule in ContractCase.all {
            let difference = differences[rule.rule]
            do {
                try await rule.run(on: engine)
                if case .always(let reason)? = difference { Issue.record("\(rule) holds after all: \(reason)") }
            } catch {
                if difference == nil { Issue.record("\(rule): \(error)") }
            }
        }
    }
}
