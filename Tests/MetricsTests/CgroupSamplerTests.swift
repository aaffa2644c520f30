import EngineAPI
import Glibc
import Linux
import Testing

@testable import Metrics

/// On the machine's own cgroups, under a name of this test's.
@Suite(.serialized) struct CgroupSamplerTests {
    /// A cgroup with one process that waits in it, both gone at the end whatever happens.
    private func withBusyCgroup(_ program: [String], _ body: (Cgroup, Int32) throws -> Void) throws {
        try #require(geteuid() == 0, "making cgroups takes root")
        let cgroup = Cgroup(path: "/gantry-test-metrics-\(getpid())/one", layout: try CgroupLayout.current())
        let parent = Cgroup(path: "/gantry-test-metrics-\(getpid())", layout: cgroup.layout)
        defer { try? parent.remove() }
        try parent.create()
        try cgroup.create()
        defer { try? cgroup.remove() }
        var spawn = Spawn(program: program[0], arguments: program)
        spawn.environment = ["PATH=/usr/bin:/bin"]
        let pid = try spawn.start()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try cgroup.attach(pid: pid)
        try body(cgroup, pid)
    }

    /// Waits, by the clock of the kernel's own counters, until `isTrue`; fails after ten seconds.
    private func eventually(_ isTrue: () -> Bool) -> Bool {
        var deadline = 1000
        while !isTrue(), deadline > 0 {
            _ = poll(nil, 0, 10)
            deadline -= 1
        }
        return deadline > 0
    }

    @Test("A process that works shows in CPU time, memory and pids; a removed cgroup gives nil")
    func realCgroup() throws {
        var left: CgroupSampler?
        let host = HostSampler()
        try withBusyCgroup(["/bin/sh", "-c", "while :; do :; done"]) { cgroup, pid in
            let sampler = CgroupSampler(cgroup: cgroup, id: "id", name: "name", networkPID: pid)
            left = sampler
            let first = try #require(sampler.sample(host: host.sample()))
            #expect(first.id == "id" && first.name == "name")
            #expect(first.pids == 1)
            #expect(first.onlineCPUs == sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            #expect(first.memoryLimitBytes > 1 << 20)
            #expect(first.networks["lo"] == nil)
            var last = first
            let hasWorked = eventually {
                guard let sample = sampler.sample(host: host.sample()) else { return false }
                last = sample
                return sample.cpuNanoseconds > first.cpuNanoseconds + 50_000_000
            }
            #expect(hasWorked)
            #expect(last.hostCPUNanoseconds >= first.hostCPUNanoseconds)
            let percent = try #require(last.cpuPercent(since: first))
            #expect(percent > 1 && percent < 150)
        }
        #expect(left?.sample(host: host.sample()) == nil)
    }

    @Test("A limit set on the cgroup is the limit sampled")
    func limits() throws {
        try withBusyCgroup(["/bin/sleep", "1000"]) { cgroup, _ in
            let isUnified = cgroup.layout.mode == .unified
            let memory = try #require(cgroup.layout.directory(of: cgroup.path, controller: "memory"))
            let pids = try #require(cgroup.layout.directory(of: cgroup.path, controller: "pids"))
            try FileContents.write("67108864", to: memory + (isUnified ? "/memory.max" : "/memory.limit_in_bytes"))
            try FileContents.write("17", to: pids + "/pids.max")
            let sampler = CgroupSampler(cgroup: cgroup, id: "id", name: "name", networkPID: nil)
            let sample = try #require(sampler.sample(host: HostSampler().sample()))
            #expect(sample.memoryLimitBytes == 64 << 20)
            #expect(sample.pidsLimit == 17)
            #expect(sample.networks.isEmpty)
        }
    }

    @Test("A file that cannot be kept open is read all the same, and so is a text longer than the buffer")
    func notKept() throws {
        for limit: Int32 in [0, 1 << 20] {
            let file = try #require(KeptFile("/proc/self/status", keptBelow: limit))
            var buffer = [UInt8](repeating: 0, count: 16)
            var threads: UInt64?
            #expect(file.read(into: &buffer) { threads = $0.value(of: "Threads") })
            #expect(threads ?? 0 > 0)
        }
        #expect(KeptFile("/proc/self/no-such-file") == nil)
    }

    @Test("A cgroup that never was gives nil, not an error")
    func missing() throws {
        let cgroup = Cgroup(path: "/gantry-test-metrics-none", layout: try CgroupLayout.current())
        let sampler = CgroupSampler(cgroup: cgroup, id: "id", name: "name", networkPID: 999_999_999)
        #expect(sampler.sample(host: HostSampler().sample()) == nil)
        #expect(ProcessTree.members(of: cgroup).isEmpty)
    }

    @Test("The tree lists engine, shim, init and the rest, each after its parent")
    func tree() throws {
        try withBusyCgroup(["/bin/sh", "-c", "sleep 1000 & sleep 1001 & wait"]) { cgroup, pid in
            // Made before the shell was moved, its children may be outside: those that are in count.
            let haveBegun = eventually {
                children(of: pid).map { CommandLine.read($0, name: "") }.sorted() == ["sleep 1000", "sleep 1001"]
            }
            #expect(haveBegun)
            for child in children(of: pid) { try cgroup.attach(pid: child) }
            defer { for child in children(of: pid) { kill(child, SIGKILL) } }
            let nodes = ProcessTree.nodes(
                enginePID: getppid(), shimPID: getpid(), initPID: pid, members: ProcessTree.members(of: cgroup))
            #expect(nodes.map(\.role) == [.engine, .shim, .initial, .process, .process])
            #expect(nodes.map(\.parentPID) == [0, getppid(), getpid(), pid, pid])
            #expect(nodes[2].command.contains("sleep 1001 & wait"))
            #expect(Set(nodes[3...].map(\.command)) == ["sleep 1000", "sleep 1001"])
            #expect(nodes[2].containerPID == pid && nodes[1].containerPID == nil)
            #expect(nodes.allSatisfy { $0.residentBytes > 0 && $0.threadCount > 0 })
            let age = Timestamp.now().nanosecondsSinceEpoch - nodes[2].startedAt.nanosecondsSinceEpoch
            #expect(age > -50_000_000 && age < 60_000_000_000)
        }
    }

    @Test("What a runtime of the shim's is only making is no process of the container")
    func beingMade() {
        // The shim is 10: its children are the first process, a runtime at work, and an exec that runs.
        let parents: [Int32: Int32] = [
            10: 1, 20: 10, 21: 20, 22: 21, 23: 10, 30: 10, 31: 30, 32: 30, 40: 10, 50: 49, 49: 1,
        ]
        let names: [Int32: String] = [30: "runtime", 31: "runtime", 40: "runtime", 22: "runtime"]
        let members: [Int32] = [20, 21, 22, 23, 31, 32, 40, 50, 60]
        // 23 was left by its runtime, 32 runs its program already, 50 was moved in by somebody, 60 has ended meanwhile.
        let made = ProcessTree.made(members, shimPID: 10) { pid in
            parents[pid].map { ($0, names[pid] ?? "sleep", [21, 23].contains(pid)) }
        }
        #expect(made == [20, 21, 22, 32, 40, 50, 60])
    }

    @Test("Any number of generations is listed, each after the one before")
    func longChain() {
        let chain = (1...300_000).map { number in
            ProcessNode(
                role: .process, pid: Int32(number), parentPID: Int32(number - 1), containerPID: nil, state: "S",
                residentBytes: 0, startedAt: Timestamp(nanosecondsSinceEpoch: 0), command: "", threadCount: 1,
                cpuNanoseconds: 0)
        }
        var nodes: [ProcessNode] = []
        ProcessTree.appendChildren(of: [0], chain.reversed(), to: &nodes)
        #expect(nodes.map(\.pid) == chain.map(\.pid))
    }

    @Test("A tree whose processes are gone lists what is left")
    func goneTree() {
        let nodes = ProcessTree.nodes(shimPID: 999_999_999, initPID: 999_999_998, members: [])
        #expect(nodes.map(\.role) == [.engine])
        #expect(nodes.first?.pid == getpid())
    }

    private func children(of pid: Int32) -> [Int32] {
        let text = (try? FileContents.read("/proc/\(pid)/task/\(pid)/children")) ?? []
        return text.split(separator: 32).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }
}
