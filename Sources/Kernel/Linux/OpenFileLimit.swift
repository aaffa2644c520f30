import Glibc

/// How many descriptors a process may have open: RLIMIT_NOFILE of getrlimit(2).
package struct OpenFileLimit: Hashable, Sendable {
    package let soft: UInt64
    package let hard: UInt64

    package init(soft: UInt64, hard: UInt64) { (self.soft, self.hard) = (soft, hard) }

    /// Raises this process's soft limit to the hard one. The usual soft one of 1024 is for programs that use select(2),
    /// so what is started from here needs the former one again.
    ///
    /// - Returns: the limit as it was; nil where nothing was raised.
    package static func raise() -> OpenFileLimit? {
        var limits = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limits) == 0, limits.rlim_cur < limits.rlim_max else { return nil }
        let former = OpenFileLimit(soft: UInt64(limits.rlim_cur), hard: UInt64(limits.rlim_max))
        limits.rlim_cur = limits.rlim_max
        return setrlimit(resource, &limits) == 0 ? former : nil
    }
}
