import Glibc
import Linux

/// Tells when the kernel has killed in a container's cgroup for want of memory.
///
/// Version 1 counts such kills into an eventfd that is registered with the cgroup; version 2 wakes who polls
/// `memory.events` for POLLPRI, which takes one descriptor and no queue that could run over, unlike inotify.
final class OOMWatch {
    /// To be polled for `events`.
    let descriptor: Descriptor
    let events: Int16
    private let counter: EventFD?
    private var kills: UInt64 = 0

    init(_ cgroup: Cgroup) throws(KernelError) {
        if let hierarchy = cgroup.layout.hierarchy(of: "memory") {
            let directory = PathName.joined(hierarchy.mountPoint, cgroup.path)
            let control = OwnedDescriptor(try Descriptor.open("\(directory)/memory.oom_control", O_RDONLY))
            let counter = try EventFD()
            do throws(KernelError) {
                try FileContents.write(
                    "\(counter.descriptor.rawValue) \(control.descriptor.rawValue)",
                    to: "\(directory)/cgroup.event_control")
            } catch {
                counter.descriptor.close()
                throw error
            }
            (descriptor, events, self.counter) = (counter.descriptor, Int16(POLLIN), counter)
        } else {
            guard let directory = cgroup.layout.unifiedDirectory(of: cgroup.path) else {
                throw KernelError("watch the memory of", cgroup.path, .notSupported)
            }
            descriptor = try Descriptor.open("\(directory)/memory.events", O_RDONLY)
            (events, counter) = (Int16(POLLPRI), nil)
            kills = current() ?? 0
        }
    }

    deinit { descriptor.close() }

    /// Whether there was a kill since the last call. In version 1 the removal of the cgroup counts as well: the caller
    /// asks whether the container still runs.
    func hasFired() -> Bool {
        if let counter { return counter.drain() > 0 }
        guard let now = current(), now > kills else { return false }
        kills = now
        return true
    }

    /// The line `oom_kill` of memory.events; nil once the cgroup is gone.
    private func current() -> UInt64? {
        var chunk = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor.rawValue, &chunk, chunk.count, 0)
        guard count > 0 else { return nil }
        for line in chunk[..<count].split(separator: 10) {
            let words = line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
            if words.count == 2, words[0] == "oom_kill" { return UInt64(words[1]) }
        }
        return nil
    }
}
