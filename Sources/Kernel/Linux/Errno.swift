import Glibc

/// An error number of the kernel, as errno(3) lists them.
public struct Errno: Error, RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let noSuchFile = Errno(rawValue: ENOENT)
    public static let noSuchProcess = Errno(rawValue: ESRCH)
    public static let exists = Errno(rawValue: EEXIST)
    public static let interrupted = Errno(rawValue: EINTR)
    public static let wouldBlock = Errno(rawValue: EAGAIN)
    public static let invalidArgument = Errno(rawValue: EINVAL)
    public static let notPermitted = Errno(rawValue: EPERM)
    public static let accessDenied = Errno(rawValue: EACCES)
    public static let notSupported = Errno(rawValue: EOPNOTSUPP)
    public static let noSystemCall = Errno(rawValue: ENOSYS)
    public static let busy = Errno(rawValue: EBUSY)
    public static let notEmpty = Errno(rawValue: ENOTEMPTY)
    public static let notDirectory = Errno(rawValue: ENOTDIR)
    public static let isDirectory = Errno(rawValue: EISDIR)
    public static let brokenPipe = Errno(rawValue: EPIPE)
    public static let noSpace = Errno(rawValue: ENOSPC)
    public static let overQuota = Errno(rawValue: EDQUOT)
    public static let symbolicLinkLoop = Errno(rawValue: ELOOP)
    public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    public static let noChild = Errno(rawValue: ECHILD)
    public static let noDevice = Errno(rawValue: ENODEV)
    public static let crossDevice = Errno(rawValue: EXDEV)
    public static let readOnlyFileSystem = Errno(rawValue: EROFS)
    public static let inputOutput = Errno(rawValue: EIO)
    public static let noBufferSpace = Errno(rawValue: ENOBUFS)
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
}

extension Errno {
    /// There is no room for more: on the disk, or in somebody's share of it.
    package var isAboutRoom: Bool { self == .noSpace || self == .overQuota }
}

extension Errno: CustomStringConvertible {
    /// The text of strerror(3), with a small first letter, as runc and docker print it.
    public var description: String {
        guard let text = strerror(rawValue) else { return "error \(rawValue)" }
        let words = String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}

/// A failed kernel call: what was attempted, on what, and why it failed.
public struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The attempt, in the imperative: `open`, `mount proc to`.
    public let operation: String
    /// What it was attempted on: a path, a pid, a name. Empty where there is nothing to name.
    public let object: String
    public let errno: Errno

    public init(_ operation: String, _ object: String = "", _ errno: Errno) {
        self.operation = operation
        self.object = object
        self.errno = errno
    }

    public var description: String {
        object.isEmpty ? "\(operation): \(errno)" : "\(operation) `\(object)`: \(errno)"
    }
}

/// Runs a kernel call and reads errno in the same expression: the one file where errno is read.
///
/// Calls again when a signal interrupted it, unless `retryOnInterrupt` is false (close(2), and waits that a signal
/// must end).
///
/// Inlinable: as a generic function of another target it would make out its result's type anew at each call.
@inlinable
@discardableResult
public func kernelCall<Result: FixedWidthInteger>(
    _ operation: @autoclosure () -> String, _ object: @autoclosure () -> String = "",
    retryOnInterrupt: Bool = true, _ body: () -> Result
) throws(KernelError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let number = Errno(rawValue: errno)
        if retryOnInterrupt, number == .interrupted { continue }
        throw KernelError(operation(), object(), number)
    }
}

/// The same for a call that gives nothing at its end and where it fails, and tells the two apart by errno alone, as
/// readdir(3) does.
func kernelNext<Value>(
    _ operation: @autoclosure () -> String, _ object: @autoclosure () -> String,
    _ body: () -> UnsafeMutablePointer<Value>?
) throws(KernelError) -> UnsafeMutablePointer<Value>? {
    while true {
        errno = 0
        if let result = body() { return result }
        let number = Errno(rawValue: errno)
        if number.rawValue == 0 { return nil }
        if number != .interrupted { throw KernelError(operation(), object(), number) }
    }
}
