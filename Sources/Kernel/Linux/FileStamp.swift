import CLinux

/// What tells a file from another that has been put in its place, and from itself once it is changed.
///
/// It is what the kernel knows without asking a file system that is elsewhere, or in a process: to take it never waits.
package struct FileStamp: Hashable, Sendable {
    /// Of the mount through which the file was found; 0 before Linux 5.8.
    package let mount: UInt64
    private let device: UInt64
    private let inode: UInt64
    private let mode: UInt64
    private let sizeBytes: UInt64
    private let modified: Timestamp
    private let changed: Timestamp

    /// - Parameter descriptor: open in any way, O_PATH, too.
    package init(of descriptor: Descriptor) throws(KernelError) {
        var facts = gantry_file_facts()
        try kernelCall("stat") { gantry_known_facts(descriptor.rawValue, &facts) }
        mount = facts.mount
        device = facts.device
        inode = facts.inode
        mode = facts.mode
        sizeBytes = facts.size
        modified = Timestamp(
            seconds: facts.modified_seconds, nanoseconds: Int64(facts.modified_nanoseconds))
        changed = Timestamp(seconds: facts.changed_seconds, nanoseconds: Int64(facts.changed_nanoseconds))
    }

    /// Whether a change from this moment on shows. A file's times go by ticks of the kernel's clock, of ten
    /// milliseconds at most: one that was changed just now may be changed again in the same tick.
    package func isSettled(at now: Timestamp) -> Bool { changed < now.before(by: Self.tickNanoseconds) }

    /// Some ticks.
    private static let tickNanoseconds: Int64 = 100_000_000
}
