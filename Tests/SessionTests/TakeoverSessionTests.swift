import Glibc
import Linux
import Testing

/// What survives the end of the process that hosts the engine.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct TakeoverSessionTests {
    @Test("After kill -9 of the host the container runs on, no line of its log is lost, and the next command adopts it")
    func hostKilled() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let id = try bench.succeed(
            "run", "-d", "--name", "counter", "--network", "none", "gantry/starter", "sh", "-c",
            "i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); usleep 5000; done; sleep 1000")
        let pid = try bench.succeed("inspect", "-f", "{{.State.Pid}}", "counter")
        host.kill(SIGKILL)
        #expect(try bench.succeed("ps", "-q") == String(id.prefix(12)))
        #expect(try bench.succeed("inspect", "-f", "{{.State.Pid}}", "counter") == pid, "the process is the same")
        let whole = (0..<400).map { String($0) }
        #expect(eventually { (try? bench.gantry("logs", "counter").lines) == whole })
    }

    @Test("An exit that nobody saw is recorded with its code and its own time")
    func exitUnseen() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let id = try bench.succeed(
            "run", "-d", "--name", "brief", "--network", "none", "gantry/starter", "sh", "-c", "sleep 1; exit 7")
        host.kill(SIGKILL)
        #expect(eventually { access("\(bench.root)/run/shims/\(id)/exit.json", F_OK) == 0 })
        #expect(try bench.succeed("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited (7)"))
        #expect(try bench.succeed("wait", "brief") == "7")
        let finished = try bench.succeed("inspect", "-f", "{{.State.FinishedAt}}", "brief")
        let started = try bench.succeed("inspect", "-f", "{{.State.StartedAt}}", "brief")
        let life =
            try #require(Timestamp(rfc3339: finished)).nanosecondsSinceEpoch
            - (try #require(Timestamp(rfc3339: started))).nanosecondsSinceEpoch
        #expect((900_000_000..<2_500_000_000).contains(life), "\(started) to \(finished)")
    }

    @Test("An end between two hosts is told of by the next, also to who has seen no event before")
    func endBetweenHosts() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        // Nobody can see whether the daemon has heard the question when it is killed; in one of the rounds it has.
        var isTold = false
        for round in 0..<4 where !isTold {
            let host = try bench.daemon()
            let name = "victim\(round)"
            try bench.succeed("run", "-d", "--name", name, "--network", "none", "gantry/starter", "sleep", "1000")
            let pid = try #require(Int32(try bench.succeed("inspect", "-f", "{{.State.Pid}}", name)))
            let listener = try bench.start(
                ["events", "--filter", "event=die", "--format", "{{.Actor.Attributes.name}}"])
            #expect(eventually { hasSocket(listener.pid) })
            try bench.succeed("ps")
            host.kill(SIGKILL)
            #expect(kill(pid, SIGKILL) == 0)
            isTold = eventually(seconds: 10) { listener.output == Array("\(name)\n".utf8) }
            listener.kill(SIGKILL)
        }
        #expect(isTold)
    }

    private func hasSocket(_ pid: Int32) -> Bool {
        // Gone, or about to be.
        let files = (try? Directory.list("/proc/\(pid)/fd")) ?? []
        return files.contains { file in
            var target = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/\(pid)/fd/\(file)", &target, target.count)
            return count > 0 && target.starts(with: "socket:".utf8.map(CChar.init))
        }
    }

    @Test("A session attached through another process goes on when that process is killed")
    func attachedSessionGoesOn() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let (reading, writing) = try Descriptor.pipe()
        let session = try bench.start(
            ["run", "-i", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "cat; exit 6"], inputPipe: reading)
        reading.close()
        try writing.writeAll(Array("before\n".utf8))
        #expect(eventually { session.output == Array("before\n".utf8) }, "\(session.errors)")
        host.kill(SIGKILL)
        #expect(eventually { (try? bench.succeed("ps", "-q").isEmpty) == false })
        try writing.writeAll(Array("after\n".utf8))
        #expect(eventually { session.output == Array("before\nafter\n".utf8) }, "\(session.errors)")
        writing.close()
        #expect(session.ended() == 6, "\(session.errors)")
    }

    @Test("What only the host itself gave input to has that ended where the host is killed, as by docker's client")
    func orphanedInput() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        let words = ["run", "-i", "--rm", "--name", "eats", "--network", "none", "gantry/starter", "cat"]
        let host = try bench.start(words, inputPipe: reading)
        reading.close()
        try writing.writeAll(Array("said\n".utf8))
        #expect(eventually { host.output == Array("said\n".utf8) }, "\(host.errors)")
        #expect(try bench.succeed("ps", "-q").isEmpty == false)
        host.kill(SIGKILL)
        #expect(host.ended() != nil)
        #expect(eventually { (try? bench.succeed("ps", "-aq").isEmpty) == true })
    }

    @Test("A container whose input another gave than the host keeps it where the host is killed")
    func keptInput() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        let words = ["run", "-i", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "cat; exit 3"]
        let session = try bench.start(words, inputPipe: reading)
        reading.close()
        try writing.writeAll(Array("before\n".utf8))
        #expect(eventually { session.output == Array("before\n".utf8) }, "\(session.errors)")
        host.kill(SIGKILL)
        #expect(host.ended() != nil)
        #expect(eventually { (try? bench.succeed("ps", "-q").isEmpty) == false })
        try writing.writeAll(Array("after\n".utf8))
        #expect(eventually { session.output.suffix(6) == Array("after\n".utf8) }, "\(session.errors)")
        writing.close()
        #expect(session.ended() == 3, "\(session.errors)")
    }

    @Test("The daemon ends by SIGTERM with code 0, its containers run on, and its socket is gone")
    func daemonEnds() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "on", "--network", "none", "gantry/starter", "sleep", "1000")
        host.kill(SIGTERM)
        #expect(host.ended() == 0, "\(host.errors)")
        #expect(access("\(bench.root)/run/gantry.sock", F_OK) != 0)
        #expect(try bench.succeed("ps", "--format", "{{.Names}}") == "on")
    }

    @Test("Many commands at once on one root all do their work")
    func manyAtOnce() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let programs = try (0..<8).map { number in
            try bench.start(["run", "--rm", "--network", "none", "gantry/starter", "echo", "\(number)"])
        }
        for (number, program) in programs.enumerated() {
            let outcome = try program.outcome()
            #expect(outcome.text == "\(number)\n", "\(outcome.errors)")
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        #expect(try bench.succeed("ps", "-aq") == "")
    }

    @Test("kill -9 of a shim ends its container, which is shown as lost")
    func shimKilled() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        let id = try bench.succeed("run", "-d", "--network", "none", "gantry/starter", "sleep", "1000")
        let pid = try #require(Int32(try bench.succeed("inspect", "-f", "{{.State.Pid}}", id)))
        let shim = try ProcessStat.read(pid: pid).parent
        #expect(kill(shim, SIGKILL) == 0)
        #expect(eventually { (try? bench.succeed("inspect", "-f", "{{.State.Status}}", id)) == "exited" })
        #expect(try bench.succeed("inspect", "-f", "{{.State.ExitCode}}", id) == "137")
        #expect(try bench.succeed("inspect", "-f", "{{.State.Error}}", id).contains("shim"))
        #expect(eventually { access("/proc/\(pid)", F_OK) != 0 }, "no process is left")
        try bench.succeed("rm", id)
    }

    @Test("Where the host's process is stopped, commands fail and name it; once it goes on they work")
    func hostStopped() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        host.kill(SIGSTOP)
        let outcome = try bench.gantry("ps")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("does not answer"), "\(outcome.errors)")
        #expect(outcome.errors.contains("process \(host.pid), which is stopped"), "\(outcome.errors)")
        host.kill(SIGCONT)
        #expect(try bench.succeed("ps", "-q") == "")
    }

    @Test("A second daemon on one root is refused, and says who has it")
    func secondDaemon() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        _ = try bench.daemon()
        let second = try bench.gantry("daemon")
        #expect(second.code == 1)
        #expect(second.errors.contains("another process hosts"), "\(second.errors)")
    }
}
