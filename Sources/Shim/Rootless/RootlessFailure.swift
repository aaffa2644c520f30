import Linux

/// Why an ordinary user gets no engine: what was attempted, and what would help.
package struct RootlessFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Runs kernel calls as a step of a larger attempt, which the failure names.
@discardableResult
func attempt<Value>(
    _ attempt: @autoclosure () -> String, _ body: () throws(KernelError) -> Value
) throws(RootlessFailure) -> Value {
    do throws(KernelError) { return try body() } catch { throw RootlessFailure("\(attempt()): \(error)") }
}
