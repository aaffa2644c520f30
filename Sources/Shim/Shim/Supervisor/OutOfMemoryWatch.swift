import CLinux
import Glibc
import Linux

/// Tells when the kernel killed for want of memory in a container's cgroup: by eventfd on v1's memory.oom_control, by
/// the change of v2's memory.events.
final class OutOfMemoryWatch {
    private let loop: EventLoop
    private let file: Descriptor
    private let event: EventFD?
    private var watch: EventLoop.Watch?
    private var killCount: UInt64 = 0
    private let onKill: () -> Void

    /// Nil where the cgroups have no memory controller, or it cannot be watched.
    init?(_ cgroups: ProcessCgroups, loop: EventLoop, onKill: @escaping () -> Void) {
        self.loop = loop
        self.onKill = onKill
        let v1 = cgroups.directories.first { $0.controllers.contains("memory") }
        let v2 = cgroups.directories.first { $0.controllers.isEmpty }
        guard let path = v1.map({ $0.path + "/memory.oom_control" }) ?? v2.map({ $0.path + "/memory.events" }),
            // ENOENT is the usual: this kernel has no memory controller there. Exits are then reported without it.
            let file = try? Descriptor.open(path, O_RDONLY)
        else { return nil }
        self.file = file
        // Without the event the counter is still read at the exit.
        event = v1 == nil ? nil : try? EventFD()
        killCount = readKillCount()
        begin(v1)
    }

    deinit {
        if let watch { loop.forget(watch) }
        event?.descriptor.close()
        file.close()
    }

    private func begin(_ v1: ProcessCgroups.Directory?) {
        do {
            guard let v1, let event else {
                if v1 == nil { watch = try loop.watch(file, .urgent) { [unowned self] _ in look() } }
                return
            }
            try FileContents.write(
                "\(event.descriptor.rawValue) \(file.rawValue)", to: v1.path + "/cgroup.event_control")
            watch = try loop.watch(event.descriptor, .readable) { [unowned self] _ in
                event.drain()
                look()
            }
        } catch { Diagnostics.note("out-of-memory kills are only seen at the exit: \(error)") }
    }

    /// Looks at the counter once more, as at an exit; whether there was a kill since the container was created.
    func look() {
        let count = readKillCount()
        guard count > killCount else { return }
        killCount = count
        hasKilled = true
        onKill()
    }

    private(set) var hasKilled = false

    /// The line `oom_kill N` of either file; what it was, where the file is gone with its cgroup.
    private func readKillCount() -> UInt64 {
        var text = [UInt8](repeating: 0, count: 512)
        let count = pread(file.rawValue, &text, text.count, 0)
        guard count > 0 else { return killCount }
        for line in String(decoding: text[..<count], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill" { return UInt64(words[1]) ?? killCount }
        }
        return killCount
    }
}
