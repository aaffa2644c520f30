import CLinux
import Glibc
import Linux

/// Being in a container's network namespace for a moment.
enum NetworkVisit {
    /// - Parameter pid: of a process that is in the namespace.
    static func run<Value>(pid: Int32, _ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
        let own = OwnedDescriptor(try Descriptor.open("/proc/self/ns/net", O_RDONLY))
        let other = OwnedDescriptor(try Descriptor.open("/proc/\(pid)/ns/net", O_RDONLY))
        // Who may not enter the own namespace would not come back: an ordinary user's shim in the machine's network.
        guard gantry_setns(own.descriptor.rawValue, network) == 0 else {
            return try onThread { () throws(KernelError) in
                try enter(other.descriptor)
                return try body()
            }
        }
        // The shim has one thread, so nothing else is there with it.
        try enter(other.descriptor)
        defer {
            do { try enter(own.descriptor) } catch {
                preconditionFailure("the shim cannot return to its network namespace: \(error)")
            }
        }
        return try body()
    }

    /// CLONE_NEWNET
    private static let network: Int32 = 0x4000_0000

    private static func enter(_ namespace: Descriptor) throws(KernelError) {
        try kernelCall("enter a network namespace") { gantry_setns(namespace.rawValue, network) }
    }

    /// Runs `body` on a thread of its own, which has a network namespace of its own and ends there (setns(2)).
    private static func onThread<Value>(
        _ body: () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        var outcome: Result<Value, KernelError>?
        let status = withoutActuallyEscaping({
            do throws(KernelError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        }) { work in
            let visit = Unmanaged.passRetained(ThreadWork(work))
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().run() }
                    return nil
                }, visit.toOpaque())
            if status == 0 { pthread_join(thread, nil) } else { visit.release() }
            return status
        }
        guard let outcome else {
            throw KernelError("start a thread for", "a network namespace", Errno(rawValue: status))
        }
        return try outcome.get()
    }

    private final class ThreadWork {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
