import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// `exec --hold`: all that can be done before the process is wanted, and no more.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct ExecHoldTests {
    /// A runtime that was told to wait, at descriptor 3.
    private final class HeldExec {
        let pid: Int32
        private let pidfd: Descriptor
        private var near: Descriptor?
        private var writing: Descriptor?

        /// - Parameters:
        ///   - process: nil for one that is given later.
        ///   - isLeft: the runtime need not stay.
        init(_ container: TestContainer, _ process: RuntimeProcess?, isLeft: Bool = false) throws {
            let (reading, writing) = try Descriptor.pipe()
            defer { reading.close() }
            self.writing = writing
            let (near, far) = try UnixSocket.pair()
            defer { far.close() }
            var spawn = Spawn(
                program: container.runtime.path,
                arguments: [
                    "gantry-runtime", "--root", container.root, "exec", "--process", "/proc/self/fd/4", "--detach",
                    "--hold", "3",
                ] + (isLeft ? ["--leave-helper"] : []) + [container.id])
            spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            spawn.descriptors = [nil, nil, nil, far, reading]
            pid = try spawn.start()
            pidfd = try PidFD.open(pid: pid)
            self.near = near
            if let process { try give(process) }
        }

        deinit {
            letGo()
            writing?.close()
            pidfd.close()
        }

        /// Says what process it is to be.
        func give(_ process: RuntimeProcess) throws {
            try writing?.writeAll(process.json.compactBytes)
            writing?.close()
            writing = nil
        }

        /// Whether it has come so far that it asks for the process: it reads a pipe.
        func isReading() throws -> Bool {
            let call = try FileContents.read("/proc/\(pid)/syscall").split(separator: 32)
            guard call.count > 1 else { return false }
            let number = String(decoding: call[1].dropFirst(2), as: UTF8.self)
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = readlink("/proc/\(pid)/fd/\(Int32(number, radix: 16) ?? -1)", &buffer, buffer.count)
            return buffer.prefix(max(0, count)).starts(with: "pipe:".utf8)
        }

        /// Has the process made, and does not wait to be told of it.
        func releaseAndGo() throws {
            try near?.writeAll([1])
            letGo()
        }

        /// Nothing is wanted.
        func letGo() {
            near?.close()
            near = nil
        }

        /// Has the process made; its pid.
        func release() throws -> Int32 {
            let near = try #require(near)
            try near.writeAll([1])
            let told = String(decoding: try near.readAll(), as: UTF8.self)
            #expect(told.last == "\n")
            return try #require(Int32(told.dropLast()))
        }

        func end() throws -> Int32 { try PidFD.reap(pidfd) }

        /// The process that waits for it, once one does: itself, or a child of its.
        func waiting() throws -> Int32? {
            let children = try FileContents.read("/proc/\(pid)/task/\(pid)/children").split(separator: 32)
            return ([pid] + children.compactMap { Int32(String(decoding: $0, as: UTF8.self)) }).first { pid in
                // Behind the call's number its first argument, the socket; of who has ended there is nothing.
                let call = (try? FileContents.read("/proc/\(pid)/syscall"))?.split(separator: 32) ?? []
                return call.count > 1 && call[1].elementsEqual("0x3".utf8)
            }
        }
    }

    private func waits<Value>(_ value: () throws -> Value?) throws -> Value? {
        for _ in 0..<4000 {
            if let found = try value() { return found }
            usleep(5000)
        }
        return nil
    }

    private func document(_ arguments: [String]) -> RuntimeProcess {
        var process = RuntimeProcess(args: arguments)
        process.env = ["PATH=/bin"]
        process.user = RuntimeUser(uid: 1000, gid: 1000)
        return process
    }

    private func status(_ pid: Int32, _ name: String) throws -> Substring? {
        let text = String(decoding: try FileContents.read("/proc/\(pid)/status"), as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    }

    private func target(_ path: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = try kernelCall("readlink", path) { readlink(path, &buffer, buffer.count) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    @Test("What waits has its program's rights and place, is closed to its own user, and becomes the program on a word")
    func inside() throws {
        let container = try TestContainer(.ours)
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: [])
        container.spec.process?.noNewPrivileges = false
        try container.createAndStart()
        let initial = try #require(try container.state()["pid"]?.integer)
        let held = try HeldExec(container, document(["sleep", "61"]))
        let helper = try #require(try waits { try held.waiting() })
        #expect(helper != held.pid)
        #expect(try status(helper, "Uid") == "Uid:\t1000\t1000\t1000\t1000")
        #expect(try status(helper, "CapEff") == "CapEff:\t0000000020000420")
        #expect(try status(helper, "Seccomp") == "Seccomp:\t2")
        #expect(try target("/proc/\(helper)/ns/mnt") == target("/proc/\(initial)/ns/mnt"))
        // Nobody in the container has a number for it.
        #expect(try target("/proc/\(helper)/ns/pid") == target("/proc/self/ns/pid"))
        var facts = stat()
        try #require(stat("/proc/\(helper)/fd", &facts) == 0)
        #expect(facts.st_uid == 0)

        let pid = try held.release()
        #expect(try held.end() == 0)
        #expect(try FileContents.read("/proc/\(pid)/cmdline") == Array("sleep\u{0}61\u{0}".utf8))
        #expect(try container.cgroup.processes().sorted() == [Int32(initial), pid].sorted())
        #expect(try Directory.list("/proc/\(pid)/fd").sorted() == ["0", "1", "2"])
    }

    @Test(
        "A process of which nobody can be told any more is none, made by the runtime or by what it has left",
        arguments: [false, true])
    func untold(isLeft: Bool) throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let held = try HeldExec(container, document(["sleep", "61"]), isLeft: isLeft)
        if isLeft { #expect(try held.end() == 0) } else { _ = try #require(try waits { try held.waiting() }) }
        #expect(try container.cgroup.processes().count == 2)
        try held.releaseAndGo()
        if !isLeft { #expect(try held.end() != 0) }
        #expect(try waits { try container.cgroup.processes().count == 1 ? true : nil } == true)
    }

    private func listed(_ container: TestContainer) throws -> [Int32] {
        let result = try container.command("ps", "--format", "json", container.id)
        try #require(result.code == 0, "\(result.errors)")
        return try JSONValue(parsing: result.output).array?.compactMap { $0.integer.map(Int32.init) } ?? []
    }

    @Test("What waits is no process of the container's: ps does not list it, and a checkpoint ends it first")
    func helpers() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let initial = Int32(try #require(try container.state()["pid"]?.integer))
        let held = try HeldExec(container, document(["sleep", "61"]))
        let helper = try #require(try waits { try held.waiting() })
        #expect(try container.cgroup.processes().sorted() == [initial, helper].sorted())
        #expect(try listed(container) == [initial])
        let pid = try held.release()
        #expect(try held.end() == 0)
        #expect(try listed(container).sorted() == [initial, pid].sorted())

        let next = try HeldExec(container, document(["sleep", "62"]))
        let second = try #require(try waits { try next.waiting() })
        let record = try ContainerStore(root: container.root).record(of: container.id)
        try EntriesUnderway.end(in: container.cgroup, of: record)
        #expect(try container.cgroup.processes().sorted() == [initial, pid].sorted())
        #expect(try next.end() == 255)
        #expect(second != pid)
    }

    @Test("The container's first process, which has executed nothing before it is started, is listed")
    func unstarted() throws {
        let container = try TestContainer(.ours)
        let created = try container.create()
        try #require(created.code == 0, "\(created.errors)")
        #expect(try listed(container) == [Int32(try #require(try container.state()["pid"]?.integer))])
    }

    @Test("Whether the process is to be made is found out when it is known, not when the runtime was started")
    func paused() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let held = try HeldExec(container, nil)
        #expect(try waits { try held.isReading() ? true : nil } == true)
        try #require(try container.command("pause", container.id).code == 0)
        try held.give(document(["sleep", "61"]))
        #expect(try held.end() == 255)
        try #require(try container.command("resume", container.id).code == 0)
        #expect(try container.cgroup.processes().count == 1)
    }

    @Test("A program that cannot be executed at last is told as ever, and nothing stays")
    func unexecutable() throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let initial = Int32(try #require(try container.state()["pid"]?.integer))
        let file = "\(container.rootfs)/tmp/odd"
        try FileContents.replace(file, with: Array("no program".utf8), mode: 0o755, durable: false)
        let result = try container.command("exec", container.id, "/tmp/odd")
        #expect(result.code == 255)
        #expect(result.errors.contains("exec /tmp/odd: exec format error"), "\(result.errors)")
        #expect(try container.cgroup.processes() == [initial])
    }

    @Test(
        "A process is made in the memory of its helper where nobody inside can trace that, and nothing is left to be done",
        arguments: [
            ([], [], nil, true), (["CAP_SYS_PTRACE"], [], nil, false), ([], ["CAP_SYS_PTRACE"], nil, false),
            (["CAP_KILL"], ["CAP_KILL"], nil, true), ([], [], RuntimeScheduler(.batch), false),
        ] as [([String], [String], RuntimeScheduler?, Bool)])
    func memory(_ own: [String], _ further: [String], _ scheduler: RuntimeScheduler?, _ isShared: Bool) throws {
        let container = try TestContainer(.ours)
        container.spec.process?.capabilities = RuntimeCapabilities()
        container.spec.process?.capabilities?.bounding = own
        try container.createAndStart()
        var process = document(["true"])
        process.capabilities = RuntimeCapabilities()
        process.capabilities?.bounding = further
        process.scheduler = scheduler
        let facts = try HostFacts.current()
        let record = try ContainerStore(root: container.root).record(of: container.id)
        let setup = ProcessSetup(
            plan: try ProcessPlan(process, facts: facts), seccomp: nil, preservedDescriptors: 0)
        let place = try EntryPlace(record, facts.layout, SubCgroups())
        defer { place.close() }
        let entry = ContainerEntry(
            place: place, setup: setup, console: nil, hold: nil, beside: container.spec.process, mayLeave: false)
        #expect(entry.sharesMemory == isShared)
    }

    enum Obstacle: String, CaseIterable {
        case processesAreLimited, userIsLimited, filterRefuses
    }

    @Test(
        "Where one process more would be in the way, or could not wait, nothing is inside yet",
        arguments: Obstacle.allCases)
    func outside(_ obstacle: Obstacle) throws {
        let container = try TestContainer(.ours)
        var process = document(["sleep", "61"])
        switch obstacle {
        case .processesAreLimited: container.spec.linux.resources?.pids = LinuxPids(limit: 9)
        case .userIsLimited: process.rlimits = [RuntimeRlimit(type: "RLIMIT_NPROC", soft: 1, hard: 1)]
        case .filterRefuses:
            container.spec.process?.noNewPrivileges = false
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [LinuxSyscall(["clone"], action: "SCMP_ACT_ERRNO")]
            container.spec.linux.seccomp = profile
        }
        try container.createAndStart()
        let initial = Int32(try #require(try container.state()["pid"]?.integer))
        let held = try HeldExec(container, process)
        #expect(try waits { try held.waiting() } == held.pid)
        #expect(try container.cgroup.processes() == [initial])
        let pid = try held.release()
        #expect(try held.end() == 0)
        #expect(try container.cgroup.processes().sorted() == [initial, pid].sorted())
    }

    @Test("Where nobody wants it no process is made, and nothing stays", arguments: [nil, 9])
    func unwanted(limit: Int64?) throws {
        let container = try TestContainer(.ours)
        if let limit { container.spec.linux.resources?.pids = LinuxPids(limit: limit) }
        try container.createAndStart()
        let initial = Int32(try #require(try container.state()["pid"]?.integer))
        let held = try HeldExec(container, document(["touch", "/tmp/made"]))
        #expect(try waits { try held.waiting() } != nil)
        held.letGo()
        #expect(try held.end() == 255)
        #expect(try container.cgroup.processes() == [initial])
        #expect(access("\(container.rootfs)/tmp/made", F_OK) != 0)
    }

    @Test("A descriptor that is no socket is nothing to wait at", arguments: ["2", "3", "x"])
    func noSocket(number: String) throws {
        let container = try TestContainer(.ours)
        try container.createAndStart()
        let result = try container.command(
            "exec", "--hold", number, container.id, "true", extra: [Descriptor.standardError])
        #expect(result.code == 255)
        let reason = number == "x" ? "invalid value" : "descriptor \(number) is no socket"
        #expect(result.errors.contains(reason), "\(result.errors)")
    }
}
