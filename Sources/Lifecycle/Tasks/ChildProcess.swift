import AsyncIO
import Glibc
import Linux

/// Processes that this one waits for; children must be reaped by somebody.
enum ChildProcess {
    static func ends(_ process: Descriptor, before deadline: ContinuousClock.Instant) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await waitUntilReadable(process)
                    return true
                } catch { return false }
            }
            group.addTask {
                // Cancelled when the process has ended first.
                try? await Task.sleep(until: deadline, clock: .continuous)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Waits for the child without blocking a thread, and reaps it.
    ///
    /// - Returns: its exit code, or 128 + signal.
    @discardableResult
    static func reap(_ pid: Int32) async throws(KernelError) -> Int32 {
        let process = try await descriptor(of: pid)
        defer { process.close() }
        try await waitUntilReadable(process)
        return try PidFD.reap(process)
    }

    /// The same within a time: a child that has not ended then is killed, and reaped whenever it does end.
    ///
    /// - Returns: nil where it was killed.
    static func reap(_ pid: Int32, within limit: Duration) async throws(KernelError) -> Int32? {
        let process = try await descriptor(of: pid)
        defer { process.close() }
        if await ends(process, before: .now + limit) { return try PidFD.reap(process) }
        try? PidFD.send(SIGKILL, to: process)  // It may end by itself first.
        // One that hangs in the kernel goes when that lets it: nobody is kept waiting for it, and it leaves no zombie.
        Task { _ = try? await ChildProcess.reap(pid) }
        return nil
    }

    /// Where there is no descriptor to be had, as soon as there is one: without it the child stays as a zombie.
    private static func descriptor(of pid: Int32) async throws(KernelError) -> Descriptor {
        while true {
            do throws(KernelError) { return try PidFD.open(pid: pid) } catch {
                guard [EMFILE, ENFILE, ENOMEM].contains(error.errno.rawValue), !Task.isCancelled else { throw error }
            }
            try? await Task.sleep(for: .seconds(1))  // Cancelled: the next try is the last.
        }
    }
}
