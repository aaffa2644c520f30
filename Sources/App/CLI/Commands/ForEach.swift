import EngineAPI

/// Does one thing to each of several objects, one after the other, since one may need another: prints the names of those
/// it was done to, the errors of the others, and fails if any failed.
///
/// - Parameter summary: what is said of all that failed, before their names, as docker's client does for some commands.
func forEach(
    _ references: [String], printing: Bool = true, summary: String? = nil,
    _ action: @Sendable (any Engine, String) async throws(EngineError) -> Void
) async throws {
    let engine = try await CommandEnvironment.connect()
    var failed: [String] = []
    for reference in references {
        let outcome = await Outcome(of: reference, engine) { engine, reference throws(EngineError) in
            try await action(engine, reference)
            return reference
        }
        switch outcome {
        case .done(let line): if printing { Console.out(line + "\n") }
        case .failed(let error):
            Console.error(Refusals.line(error))
            failed.append(reference)
        }
    }
    guard !failed.isEmpty else { return }
    if let summary { Console.error("Error: \(summary): \(failed.joined(separator: ", "))\n") }
    throw ExitStatus(code: 1)
}

/// Does one thing to several objects, at most as many at once as docker's client does. What it came to is told in the order
/// in which they were named, the errors after all else; fails if any failed.
///
/// - Parameters:
///   - excusing: which errors are said, in their object's turn, and are none.
///   - action: gives the line to print.
func forEachAtOnce(
    _ references: [String], excusing: (EngineError) -> Bool = { _ in false },
    _ action: @escaping @Sendable (any Engine, String) async throws(EngineError) -> String
) async throws {
    let engine = try await CommandEnvironment.connect()
    let errors = await withTaskGroup(of: (Int, Outcome).self) { group in
        var waiting = references.indices[...]
        func beginNext() {
            guard let index = waiting.popFirst() else { return }
            group.addTask { (index, await Outcome(of: references[index], engine, action)) }
        }
        for _ in 0..<50 { beginNext() }
        var outcomes = [Outcome?](repeating: nil, count: references.count)
        var errors: [EngineError] = []
        var told = 0
        while let (index, outcome) = await group.next() {
            outcomes[index] = outcome
            beginNext()
            while told < outcomes.count, let outcome = outcomes[told] {
                told += 1
                switch outcome {
                case .done(let line): Console.out(line + "\n")
                case .failed(let error) where excusing(error): Console.error(Refusals.line(error))
                case .failed(let error): errors.append(error)
                }
            }
        }
        return errors
    }
    guard !errors.isEmpty else { return }
    for error in errors { Console.error(Refusals.line(error)) }
    throw ExitStatus(code: 1)
}

private enum Outcome: Sendable {
    case done(String)
    case failed(EngineError)

    init(
        of reference: String, _ engine: any Engine,
        _ action: @Sendable (any Engine, String) async throws(EngineError) -> String
    ) async {
        do throws(EngineError) { self = .done(try await action(engine, reference)) } catch {
            // It is so already.
            self = error.kind == .notModified ? .done(reference) : .failed(error)
        }
    }
}
