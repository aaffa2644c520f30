import Glibc
import Linux
import Testing

/// A cgroup on the machine's own kernel, in whichever version it has.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct CgroupTests {
    private static func withCgroup(_ body: (Cgroup, Int32) throws -> Void) throws {
        let name = "gantry-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let cgroup = Cgroup(path: "/\(name)/inner", layout: try CgroupLayout.current())
        let parent = Cgroup(path: "/\(name)", layout: cgroup.layout)
        defer { try? parent.remove() }  // A failure shows in the leftovers of the suite.
        try cgroup.create()
        var spawn = Spawn(program: "/bin/sleep", arguments: ["sleep", "60"])
        spawn.environment = []
        let pid = try spawn.start()
        defer {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try cgroup.attach(pid: pid)
        try body(cgroup, pid)
    }

    @Test("A process in the cgroup is found, also from above, and is ended with it")
    func membership() throws {
        try Self.withCgroup { cgroup, pid in
            #expect(try cgroup.processes() == [pid])
            let above = Cgroup(path: PathName.split(cgroup.path).parent, layout: cgroup.layout)
            #expect(try above.processes() == [pid])
            let process = OwnedDescriptor(try PidFD.open(pid: pid))
            try cgroup.kill()
            #expect(try PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: 10_000))
            #expect(try PidFD.reap(process.descriptor) == 137)
            try above.remove()
            #expect(!cgroup.exists && !above.exists)
            try above.remove()
        }
    }

    @Test("A frozen process stands still and can be ended all the same")
    func freezing() throws {
        try Self.withCgroup { cgroup, pid in
            #expect(try !cgroup.isFrozen())
            try cgroup.setFrozen(true)
            #expect(try cgroup.isFrozen())
            try cgroup.setFrozen(false)
            #expect(try !cgroup.isFrozen())
            try cgroup.setFrozen(true)
            let process = OwnedDescriptor(try PidFD.open(pid: pid))
            try cgroup.kill()
            #expect(try PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: 10_000))
        }
    }

    @Test("A process that has another's number is not taken for it")
    func identity() throws {
        let own = try ProcessStat.read(pid: getpid())
        try PidFD.open(pid: getpid(), startTicks: own.startTicks).close()
        let error = #expect(throws: KernelError.self) {
            try PidFD.open(pid: getpid(), startTicks: own.startTicks + 1)
        }
        #expect(error?.errno == .noSuchProcess)
    }
}
