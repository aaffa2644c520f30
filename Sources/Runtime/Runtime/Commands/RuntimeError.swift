import JSON
import Linux
import OCI

/// Why a command failed, in the words that callers of runtimes look for, and the exit code that says so.
package struct RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var exitCode: Int32 = 1

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    package init(_ error: KernelError) { self.init(error.description) }
    package init(_ error: RuntimeSpecError) { self.init(error.description) }
    package init(_ error: JSONError) { self.init(error.description) }

    package var description: String { message }

    static let doesNotExist = RuntimeError("container does not exist")
}

/// Runs kernel calls where this target's own error is thrown; `context` comes before the kernel's words.
@discardableResult
func attempt<Result: ~Copyable>(
    _ context: @autoclosure () -> String = "", _ body: () throws(KernelError) -> Result
) throws(RuntimeError) -> Result {
    do throws(KernelError) {
        return try body()
    } catch {
        let context = context()
        throw RuntimeError(context.isEmpty ? error.description : "\(context): \(error)")
    }
}

/// Runs a step of several, whose name then comes before the words of its failure.
@discardableResult
func step<Result: ~Copyable>(
    _ context: @autoclosure () -> String, _ body: () throws(RuntimeError) -> Result
) throws(RuntimeError) -> Result {
    do throws(RuntimeError) {
        return try body()
    } catch {
        throw RuntimeError("\(context()): \(error)", exitCode: error.exitCode)
    }
}
