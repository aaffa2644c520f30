import Linux

/// A request that the kernel refused, with the words that it gave where it gave any.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The attempt, in the imperative: `create bridge`.
    package let operation: String
    /// The name of the link, the address or the route.
    package let object: String
    package let errno: Errno
    /// The extended acknowledgement's text; empty where there is none.
    package let detail: String

    package init(_ operation: String, _ object: String, _ errno: Errno, detail: String = "") {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
    }

    init(_ error: KernelError, _ operation: String, _ object: String) {
        self.init(operation, object, error.errno, detail: error.operation)
    }

    package var description: String {
        "\(operation) `\(object)`: \(errno)" + (detail.isEmpty ? "" : " (\(detail))")
    }
}
