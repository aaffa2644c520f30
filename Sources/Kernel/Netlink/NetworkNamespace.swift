import CLinux
import Glibc
import Linux

/// Network namespaces, as descriptors.
///
/// A thread that entered another namespace is of no use to a pool: whatever ran on it next would be somewhere else. So
/// a namespace is entered on a thread made for it, which ends there. A helper process would cost thirty times as much
/// and would be one more program to be found; what is wanted of a namespace are sockets, and these keep it.
package enum NetworkNamespace {
    /// The namespace of a process that must have begun at `startTicks`; ESRCH where it is gone or another.
    package static func open(pid: Int32, startTicks: UInt64) throws(KernelError) -> Descriptor {
        let namespace = try open("/proc/\(pid)/ns/net")
        do throws(KernelError) {
            // Read after the namespace was opened: the number was that process's until then.
            if try ProcessStat.read(pid: pid).startTicks == startTicks { return namespace }
        } catch {
            namespace.close()
            throw error
        }
        namespace.close()
        throw KernelError("open the network namespace of process", String(pid), .noSuchProcess)
    }

    /// The calling thread's.
    package static func current() throws(KernelError) -> Descriptor { try open("/proc/thread-self/ns/net") }

    /// A namespace without links but loopback, which lasts as long as something holds it.
    package static func make() throws(KernelError) -> Descriptor {
        try onThread { () throws(KernelError) in
            try kernelCall("unshare the network") { gantry_unshare(cloneNewNetwork) }
            return try current()
        }
    }

    /// Runs `body` in a namespace, on a thread of its own, while the caller waits.
    package static func run<Value: Sendable>(
        in namespace: Descriptor, _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        try onThread { () throws(KernelError) in
            try kernelCall("enter a network namespace") { gantry_setns(namespace.rawValue, cloneNewNetwork) }
            return try body()
        }
    }

    private static let cloneNewNetwork: Int32 = 0x4000_0000

    private static func open(_ path: String) throws(KernelError) -> Descriptor {
        try Descriptor.open(path, O_RDONLY)
    }

    private static func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        let job = ThreadJob(body)
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 256 << 10)
        defer { pthread_attr_destroy(&attributes) }
        let context = Unmanaged.passRetained(job as any RunsOnThread as AnyObject)
        let status = pthread_create(&thread, &attributes, threadMain, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw KernelError("start a thread", "", Errno(rawValue: status))
        }
        pthread_join(thread, nil)
        guard let result = job.result else { preconditionFailure("a joined thread has run its job") }
        return try result.get()
    }
}

private protocol RunsOnThread: AnyObject {
    func run()
}

/// Safety: written by the thread, read after pthread_join(3), which orders the two.
private final class ThreadJob<Value: Sendable>: RunsOnThread, @unchecked Sendable {
    private let body: @Sendable () throws(KernelError) -> Value
    private(set) var result: Result<Value, KernelError>?

    init(_ body: @escaping @Sendable () throws(KernelError) -> Value) { self.body = body }

    func run() {
        do throws(KernelError) { result = .success(try body()) } catch { result = .failure(error) }
    }
}

private func threadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context {
        (Unmanaged<AnyObject>.fromOpaque(context).takeRetainedValue() as? any RunsOnThread)?.run()
    }
    return nil
}
