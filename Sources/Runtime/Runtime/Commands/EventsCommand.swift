import Glibc
import JSON
import Linux
import OCI

/// `events`: what a container uses, every so often, and each time that memory ran out, until it ends.
extension Invocation {
    func events() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "interval= stats")
        try arguments.expectOperands("events", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        let interval = try Self.interval(arguments["interval"] ?? "5s")
        let cgroup = record.cgroup(in: try HostFacts.layout())
        guard ContainerStatus.of(record, in: store, cgroup.layout) != .stopped,
            // It may have ended since.
            let process = try? PidFD.open(pid: record.pid, startTicks: record.startTicks)
        else { throw RuntimeError("container with id \(record.id) is not running") }
        defer { process.close() }
        let texts = CgroupTexts(of: cgroup)
        let stream = EventStream(
            id: record.id, statistics: ContainerStatistics(texts: texts, pageSizes: HugepageSizes.ofMachine()))
        if try arguments.flag("stats") {
            _ = try stream.printStatistics()
            return 0
        }
        let watch = try attempt("unable to watch for out of memory") { () throws(KernelError) in try OOMWatch(cgroup) }
        try stream.follow(process, watch, everyMilliseconds: interval)
        return 0
    }

    private static func interval(_ text: String) throws(RuntimeError) -> Int32 {
        guard let nanoseconds = GoDuration.nanoseconds(text) else {
            throw RuntimeError("invalid value \"\(text)\" for flag -interval: parse error")
        }
        guard nanoseconds > 0 else { throw RuntimeError("duration interval must be greater than 0") }
        return Int32(clamping: max(1, nanoseconds / 1_000_000))
    }
}

/// Events as lines of JSON on standard output.
private struct EventStream {
    let id: String
    let statistics: ContainerStatistics

    /// - Returns: whether there is still somebody who reads.
    func printStatistics() throws(RuntimeError) -> Bool {
        let data = try attempt { () throws(KernelError) in try statistics.json() }
        return try print(["type": "stats", "id": .string(id), "data": data])
    }

    /// Returns when the process has ended, or nobody reads any more.
    func follow(_ process: Descriptor, _ watch: OOMWatch, everyMilliseconds interval: Int32) throws(RuntimeError) {
        var next = Self.now() + Int64(interval)
        while true {
            var entries = [
                pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watch.descriptor.rawValue, events: watch.events, revents: 0),
            ]
            let rest = Int32(clamping: max(0, next - Self.now()))
            try attempt { () throws(KernelError) in try kernelCall("poll") { poll(&entries, 2, rest) } }
            let hasEnded = entries[0].revents != 0
            // A kill that ended the container is told before its end; the end of the cgroup itself is no kill.
            if entries[1].revents & watch.events != 0, watch.hasFired() {
                guard try print(["type": "oom", "id": .string(id)]) else { return }
            }
            if hasEnded { return }
            if Self.now() >= next {
                guard try printStatistics() else { return }
                next = max(next + Int64(interval), Self.now())
            }
        }
    }

    private func print(_ event: JSONValue) throws(RuntimeError) -> Bool {
        try Invocation.write(event.compactText + "\n")
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
