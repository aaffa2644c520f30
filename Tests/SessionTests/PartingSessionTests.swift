import Glibc
import Linux
import Testing

/// How a process that hosts the engine takes leave of those who use it, and who hosts it next.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct PartingSessionTests {
    @Test("An exec session goes on when its host is killed, and when its host ends by a signal", arguments: [9, 15])
    func execGoesOn(_ signal: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        let (reading, writing) = try Descriptor.pipe()
        let session = try bench.start(["exec", "-i", "web", "sh", "-c", "cat; exit 6"], inputPipe: reading)
        reading.close()
        try writing.writeAll(Array("before\n".utf8))
        #expect(eventually { session.output == Array("before\n".utf8) }, "\(session.errors)")
        host.kill(signal)
        #expect(host.ended() != nil)
        #expect(eventually { (try? bench.succeed("ps", "-q").isEmpty) == false })
        try writing.writeAll(Array("after\n".utf8))
        #expect(eventually { session.output == Array("before\nafter\n".utf8) }, "\(session.errors)")
        writing.close()
        #expect(session.ended() == 6, "\(session.errors)")
        #expect(try bench.succeed("inspect", "-f", "{{len .ExecIDs}}", "web") == "0")
    }

    @Test("The input of an exec ends some time after the command was killed that gave it and hosted the engine")
    func execInputEnds() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let share = "\(bench.root)/share"
        try Directory.create(share)
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "-v", "\(share):/share", "gantry/starter", "sleep",
            "1000")
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        let session = try bench.start(
            ["exec", "-i", "web", "sh", "-c", "cat >/share/input; touch /share/over"], inputPipe: reading)
        reading.close()
        try writing.writeAll(Array("given\n".utf8))
        #expect(eventually { (try? FileContents.read("\(share)/input")) == Array("given\n".utf8) }, "\(session.errors)")
        session.kill(SIGKILL)
        #expect(session.ended() != nil)
        #expect(eventually { access("\(share)/over", F_OK) == 0 })
    }

    @Test("What an exec writes between two hosts is there for who goes on with it", arguments: [9, 15])
    func execWritesBetween(_ signal: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let share = "\(bench.root)/share"
        try Directory.create(share)
        try bench.succeed(
            "run", "-d", "--name", "web", "--network", "none", "-v", "\(share):/share", "gantry/starter", "sleep",
            "1000")
        let script = """
            echo before; while ! test -e /share/go; do sleep 0.01; done
            echo between; touch /share/written; while ! test -e /share/on; do sleep 0.01; done
            echo after; exit 5
            """
        let session = try bench.start(["exec", "web", "sh", "-c", script])
        #expect(eventually { session.output == Array("before\n".utf8) }, "\(session.errors)")
        host.kill(signal)
        #expect(host.ended() != nil)
        // The next one leaves the lock to a daemon that comes again for longer than this takes.
        try FileContents.replace("\(share)/go", with: [], durable: false)
        #expect(eventually { access("\(share)/written", F_OK) == 0 })
        #expect(eventually { session.output == Array("before\nbetween\n".utf8) }, "\(session.errors)")
        try FileContents.replace("\(share)/on", with: [], durable: false)
        #expect(session.ended() == 5, "\(session.errors)")
        #expect(session.output == Array("before\nbetween\nafter\n".utf8))
    }

    @Test("A shell in a terminal goes on at the next host, which shows nothing a second time")
    func terminalGoesOn() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        let session = try bench.terminal("exec", "-it", "web", "sh")
        #expect(session.wait(for: "/ #"), "\(session.rows)")
        session.type("echo fir''st\r")
        #expect(session.wait(for: "first"), "\(session.rows)")
        host.kill(SIGKILL)
        #expect(eventually { (try? bench.succeed("ps", "-q").isEmpty) == false })
        session.type("echo sec''ond\r")
        #expect(session.wait(for: "second"), "\(session.rows)")
        #expect(session.rows.count { $0.hasPrefix("first") } == 1, "\(session.rows)")
        session.type("exit 4\r")
        #expect(session.ended() == 4)
    }

    @Test("The end of an exec between two hosts is told of, with its code and what it wrote", arguments: [9, 15])
    func execEndsUnseen(_ signal: Int32) throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        try bench.succeed("run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sleep", "1000")
        // Of both streams, and more than one of them is kept of in other cases.
        let script = "echo runs; sleep 1; head -c 30000 /dev/zero; echo ends; echo wrong >&2; exit 7"
        let session = try bench.start(["exec", "web", "sh", "-c", script])
        #expect(eventually { session.output == Array("runs\n".utf8) }, "\(session.errors)")
        // It leaves the lock to a daemon that comes again for longer than the exec lasts.
        host.kill(signal)
        #expect(session.ended() == 7, "\(session.errors)")
        let wanted = Array("runs\n".utf8) + [UInt8](repeating: 0, count: 30000) + Array("ends\n".utf8)
        #expect(session.output == wanted && session.errors == "wrong\n", "\(session.output.count) \(session.errors)")
    }

    @Test("ctrl-c on a command that hosts the engine does not cut what another one loads")
    func interruptedHost() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let archive = "\(bench.root)/starter.tar"
        try bench.succeed("save", "-o", archive, "gantry/starter")
        let bytes = try FileContents.read(archive)
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let (reading, writing) = try Descriptor.pipe()
        let load = try bench.start(["load"], inputPipe: reading)
        reading.close()
        // More than pipes and sockets hold, so that the engine has begun to read it.
        try writing.writeAll(Array(bytes.dropLast(4096)))
        host.kill(SIGINT)
        #expect(eventually { host.errors.contains("in use by others") }, "\(host.errors)")
        try writing.writeAll(Array(bytes.suffix(4096)))
        writing.close()
        let outcome = try load.outcome()
        #expect(outcome.code == 0 && outcome.text.contains("gantry/starter"), "\(outcome.errors)")
        #expect(host.ended() == 128 + SIGINT, "it dies of the signal, once it may")
    }

    @Test("A second ctrl-c does not wait for others")
    func insistingInterrupt() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let archive = "\(bench.root)/starter.tar"
        try bench.succeed("save", "-o", archive, "gantry/starter")
        let bytes = try FileContents.read(archive)
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let (reading, writing) = try Descriptor.pipe()
        let load = try bench.start(["load"], inputPipe: reading)
        reading.close()
        // More than pipes and sockets hold, so that the engine has begun to read it.
        try writing.writeAll(Array(bytes.dropLast(4096)))
        #expect(eventually { (try? bench.succeed("ps", "-q")) == "" })
        host.kill(SIGINT)
        #expect(eventually { host.errors.contains("in use by others") }, "\(host.errors)")
        host.kill(SIGINT)
        #expect(host.ended() == 128 + SIGINT)
        writing.close()
        #expect(try load.outcome().code != 0)
    }

    @Test("A daemon that is started anew has its engine again, though others stream from it meanwhile")
    func daemonComesAgain() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let first = try bench.daemon()
        let visitor = try bench.start(["events", "--format", "{{.Action}}"])
        // It may hear of nothing before it has asked.
        var number = 0
        #expect(
            eventually {
                number += 1
                _ = try? bench.succeed("volume", "create", "early\(number)")
                return !visitor.output.isEmpty
            }, "\(visitor.errors)")
        first.kill(SIGTERM)
        #expect(first.ended() == 0)
        let second = try bench.start(["daemon"])
        #expect(eventually { second.errors.contains("serving the engine") }, "\(second.errors)")
        #expect(!second.errors.contains("standing by"), "\(second.errors)")
        let before = visitor.output.count
        try bench.succeed("volume", "create", "late")
        #expect(eventually { visitor.output.count > before }, "\(visitor.errors)")
    }

    @Test("A daemon's start also starts what always runs, though somebody stopped it; one that takes over does not")
    func policyStart() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        func status() throws -> String { try bench.succeed("inspect", "-f", "{{.State.Status}}", "loyal") }
        let first = try bench.daemon()
        try bench.succeed(
            "run", "-d", "--name", "loyal", "--restart", "always", "--network", "none", "gantry/starter", "sleep",
            "1000")
        try bench.succeed("stop", "-t", "0", "loyal")
        first.kill(SIGTERM)
        #expect(first.ended() == 0)
        // Whoever hosts the engine for a command alone leaves it as it is.
        #expect(try status() == "exited")
        let second = try bench.daemon()
        #expect(eventually { (try? status()) == "running" }, "\(second.errors)")
        second.kill(SIGTERM)
        #expect(second.ended() == 0)
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let third = try bench.start(["daemon"])
        #expect(eventually { third.errors.contains("standing by") }, "\(third.errors)")
        try bench.succeed("stop", "-t", "0", "loyal")
        host.kill(SIGTERM)
        #expect(eventually { third.errors.contains("serving the engine") }, "\(third.errors)")
        #expect(try status() == "exited")
    }

    @Test("A daemon stands by while a command hosts the engine, and takes over when that one ends")
    func daemonStandsBy() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let daemon = try bench.start(["daemon", "-H", "unix://\(bench.root)/other.sock"])
        #expect(eventually { daemon.errors.contains("process \(host.pid) hosts") }, "\(daemon.errors)")
        let other = ["-H", "unix://\(bench.root)/other.sock"]
        #expect(try bench.start(other + ["volume", "create", "one"]).outcome().code == 0, "it serves its own sockets")
        host.kill(SIGINT)
        #expect(host.ended() == 128 + SIGINT)
        #expect(eventually { daemon.errors.contains("serving the engine") }, "\(daemon.errors)")
        #expect(try bench.start(other + ["volume", "ls", "-q"]).outcome().text == "one\n")
        daemon.kill(SIGTERM)
        #expect(daemon.ended() == 0, "\(daemon.errors)")
    }
}
