import Glibc

/// How many descriptors the connections of all published ports may have together, so that strangers who open them leave
/// the shim enough for its own work: clients, execs, the runtime.
final class DescriptorBudget {
    private var left: Int

    /// - Parameter limit: the process's; `RLIMIT_NOFILE` as it is.
    init(limit: Int = DescriptorBudget.processLimit) { left = max(0, limit - max(64, limit / 4)) }

    /// Whether there are so many, which are then taken.
    func take(_ count: Int) -> Bool {
        guard count <= left else { return false }
        left -= count
        return true
    }

    func giveBack(_ count: Int) { left += count }

    /// getrlimit(2).
    private static var processLimit: Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return 1024 }
        return Int(clamping: limits.rlim_cur)
    }
}
