import CLinux
import Glibc

/// A file descriptor, as a number that somebody else owns. Closing is explicit; see `OwnedDescriptor` for a scope.
public struct Descriptor: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let standardInput = Descriptor(rawValue: 0)
    public static let standardOutput = Descriptor(rawValue: 1)
    public static let standardError = Descriptor(rawValue: 2)
    /// AT_FDCWD: the working directory, where a call takes a directory.
    public static let workingDirectory = Descriptor(rawValue: AT_FDCWD)

    /// open(2), with O_CLOEXEC added.
    public static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(KernelError) -> Descriptor {
        Descriptor(rawValue: try kernelCall("open", path) { gantry_open(path, flags | O_CLOEXEC, mode) })
    }

    /// openat(2) relative to this directory, with O_CLOEXEC added.
    public func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(KernelError) -> Descriptor {
        Descriptor(
            rawValue: try kernelCall("open", path) { gantry_openat(rawValue, path, flags | O_CLOEXEC, mode) })
    }

    /// close(2). An error is of no use to any caller here: the number is gone either way.
    public func close() { _ = Glibc.close(rawValue) }

    /// read(2): the number of bytes placed in `buffer`; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(KernelError) -> Int {
        try kernelCall("read") { Glibc.read(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// readv(2): fills `first`, then `second`; the number of bytes placed in both together, 0 at the end.
    package func read(
        into first: UnsafeMutableRawBufferPointer, then second: UnsafeMutableRawBufferPointer
    ) throws(KernelError) -> Int {
        try kernelCall("read") {
            let parts = (
                iovec(iov_base: first.baseAddress, iov_len: first.count),
                iovec(iov_base: second.baseAddress, iov_len: second.count)
            )
            return withUnsafeBytes(of: parts) { parts in
                readv(rawValue, parts.baseAddress?.assumingMemoryBound(to: iovec.self), 2)
            }
        }
    }

    /// write(2): the number of bytes taken, which may be fewer than given.
    public func write(_ buffer: UnsafeRawBufferPointer) throws(KernelError) -> Int {
        try kernelCall("write") { Glibc.write(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// write(2) of the bytes from `offset` on: the number taken.
    package func write(_ bytes: [UInt8], from offset: Int) throws(KernelError) -> Int {
        try kernelCall("write") {
            bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                return Glibc.write(rawValue, rest.baseAddress, rest.count)
            }
        }
    }

    /// Writes all of `buffer`, over as many write(2) as it takes.
    public func writeAll(_ buffer: UnsafeRawBufferPointer) throws(KernelError) {
        var rest = buffer
        while !rest.isEmpty {
            let count = try write(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes all of `bytes`.
    public func writeAll(_ bytes: [UInt8]) throws(KernelError) {
        var failure: KernelError?
        bytes.withUnsafeBytes { buffer in
            do throws(KernelError) { try writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads to the end; throws EFBIG once more than `limitBytes` have come.
    public func readAll(limitBytes: Int = 64 << 20) throws(KernelError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Most files are the kernel's own and small; long ones are read in ever greater parts.
        var size = 4096
        while true {
            let count = try readPart(upTo: size, addingTo: &bytes)
            if count == 0 { return bytes }
            if count == size, size < 65536 { size *= 2 }
            if bytes.count > limitBytes { throw KernelError("read", "", Errno(rawValue: EFBIG)) }
        }
    }

    private func readPart(upTo size: Int, addingTo bytes: inout [UInt8]) throws(KernelError) -> Int {
        let result = withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) {
            buffer -> Result<Int, KernelError> in
            do throws(KernelError) {
                let count = try read(into: buffer)
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return .success(count)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// read(2) into an array; returns how many of its bytes are filled.
    public func read(into chunk: inout [UInt8]) throws(KernelError) -> Int {
        let capacity = chunk.count
        return try kernelCall("read") {
            chunk.withUnsafeMutableBytes { Glibc.read(rawValue, $0.baseAddress, capacity) }
        }
    }
}

extension Descriptor {
    /// A file in memory, closed by exec(2): memfd_create(2). The name is for those who look at /proc.
    package static func memory(_ name: String) throws(KernelError) -> Descriptor {
        // MFD_CLOEXEC
        Descriptor(rawValue: try kernelCall("memfd_create") { gantry_memfd_create(name, 1) })
    }
}

extension Array where Element: FixedWidthInteger {
    /// That many zeros, made by code beside its caller: the standard library's own lies far from all else that a short-lived
    /// program touches, in pages that it would fetch for nothing else.
    @inlinable
    package init(zeros count: Int) {
        self.init()
        append(contentsOf: repeatElement(0, count: count))
    }
}

/// A descriptor that closes itself at the end of its scope.
public struct OwnedDescriptor: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    deinit { descriptor.close() }

    /// Gives the number away; the caller closes it.
    public consuming func release() -> Descriptor {
        let number = descriptor
        discard self
        return number
    }
}
