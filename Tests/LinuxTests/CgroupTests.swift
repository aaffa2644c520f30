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

    @Test("A program is born in a cgroup, with what it was given; where it cannot be, it is where its parent is")
    func birth() throws {
        try Self.withCgroup { cgroup, _ in
            guard let unified = cgroup.layout.unifiedDirectory(of: cgroup.path) else { return }
            let place = OwnedDescriptor(try Descriptor.open(unified, O_RDONLY | O_DIRECTORY))
            let script = "tr -d '\\n' < /proc/self/cgroup; echo; pwd; echo $A; ls /proc/self/fd; cat <&3; kill -TERM $$"
            func output(in cgroup: Descriptor?) throws -> (text: String, status: Int32) {
                let (results, given) = (try Descriptor.pipe(), try Descriptor.pipe())
                defer { for end in [results.reading, given.reading] { end.close() } }
                try given.writing.writeAll(Array("given\n".utf8))
                given.writing.close()
                var spawn = Spawn(program: "/bin/sh", arguments: ["sh", "-c", script])
                spawn.environment = ["A=b c", "PATH=/bin:/usr/bin"]
                spawn.workingDirectory = "/proc"
                spawn.newSession = true
                spawn.descriptors = [nil, results.writing, results.writing, given.reading]
                spawn.cgroup = cgroup
                let pid = try spawn.start()
                #expect(getsid(pid) == pid)
                results.writing.close()
                let text = String(decoding: try results.reading.readAll(limitBytes: 65536), as: UTF8.self)
                var status: Int32 = 0
                #expect(waitpid(pid, &status, 0) == pid)
                return (text, status)
            }
            let born = try output(in: place.descriptor)
            let usual = try output(in: nil)
            #expect(born.text.contains("0::\(cgroup.path)\n") && !usual.text.contains(cgroup.path), "\(born)")
            #expect(born.text.split(separator: "\n").dropFirst() == usual.text.split(separator: "\n").dropFirst())
            #expect(usual.text.hasSuffix("/proc\nb c\n0\n1\n2\n3\n4\ngiven\n"), "\(usual)")
            #expect(born.status == SIGTERM && usual.status == SIGTERM)

            var missing = Spawn(program: "/bin/none", arguments: ["none"])
            missing.cgroup = place.descriptor
            #expect(throws: KernelError("start", "/bin/none", .noSuchFile)) { try missing.start() }
            // No cgroup at all.
            let other = OwnedDescriptor(try Descriptor.open("/tmp", O_RDONLY | O_DIRECTORY))
            #expect(try output(in: other.descriptor).text == usual.text)
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

    @Test("Cgroups whose path is longer than any path may be hide nobody, and are removed with the others")
    func deep() throws {
        try Self.withCgroup { cgroup, pid in
            let name = String(repeating: "n", count: 250)
            var place = OwnedDescriptor(
                try Descriptor.open(try #require(cgroup.lifetimeDirectory), O_RDONLY | O_DIRECTORY))
            for _ in 0..<20 {
                try kernelCall("mkdir", name) { mkdirat(place.descriptor.rawValue, name, 0o755) }
                place = OwnedDescriptor(try place.descriptor.open(name, O_RDONLY | O_DIRECTORY))
            }
            let members = OwnedDescriptor(try place.descriptor.open("cgroup.procs", O_WRONLY))
            try members.descriptor.writeAll(Array("\(pid)".utf8))
            #expect(try cgroup.processes() == [pid])
            let process = OwnedDescriptor(try PidFD.open(pid: pid))
            try PidFD.send(SIGKILL, to: process.descriptor)
            #expect(try PidFD.reap(process.descriptor) == 137)
            try cgroup.remove()
            #expect(!cgroup.exists)
        }
    }

    @Test("A cgroup for threads has no list of processes, which hides none of the others")
    func threaded() throws {
        try Self.withCgroup { cgroup, pid in
            guard let unified = cgroup.layout.unifiedDirectory(of: cgroup.path) else { return }
            let inner = "\(unified)/threads"
            try kernelCall("mkdir", inner) { mkdir(inner, 0o755) }
            try FileContents.write("threaded", to: "\(inner)/cgroup.type")
            #expect(throws: KernelError.self) { try FileContents.read("\(inner)/cgroup.procs") }
            #expect(try cgroup.processes() == [pid])
            try kernelCall("rmdir", inner) { rmdir(inner) }
        }
    }

    @Test("A number is taken for a child's only where it is one, which can be waited for all the same")
    func children() throws {
        try Self.withCgroup { _, pid in
            let child = OwnedDescriptor(try PidFD.open(child: pid))
            for other in [1, getppid(), getpid()] {
                let error = #expect(throws: KernelError.self) { try PidFD.open(child: other) }
                #expect(error?.errno == .noSuchProcess)
            }
            try PidFD.send(SIGKILL, to: child.descriptor)
            #expect(try PidFD.waitForEnd(child.descriptor, timeoutMilliseconds: 10_000))
            try PidFD.open(child: pid).close()
            #expect(try PidFD.reap(child.descriptor) == 137)
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
