import Glibc
import Linux
import Testing

/// The engine of an ordinary user, from its first start to its last trace.
@Suite(
    .serialized, .enabled(if: OrdinaryUser.isPossible, "needs root, to become another user"), .timeLimit(.minutes(3)))
struct LifeTests {
    private func withUser(
        hasSubordinateIDs: Bool = true, _ body: (OrdinaryUser) throws -> Void
    ) throws {
        let user = try OrdinaryUser(hasSubordinateIDs: hasSubordinateIDs)
        defer { user.remove() }
        try body(user)
        #expect(try user.remains() == [])
    }

    @Test(
        "A first start packs an image, and a container of it is root among the user's own ids",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func firstRun() throws {
        try withUser { user in
            let run = try user.gantry(
                "run", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "id -u; cat /proc/self/uid_map")
            #expect(run.code == 0, "\(run.errors)")
            let words = run.output.split { $0 == "\n" || $0 == " " }
            #expect(words == ["0", "0", "1000", "1", "1", "100000", "65536"])
            let info = try user.gantry("info")
            #expect(info.output.contains("name=rootless"), "\(info.errors)")
            #expect(info.output.contains("\(user.folder)/home/.local/share/gantry"))
        }
    }

    @Test(
        "run, exec, logs, top, stats, cp, stop and rm work as for root",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func lifecycle() throws {
        try withUser { user in
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--network", "none", "gantry/starter", "sh", "-c",
                "echo hello; sleep 1000")
            #expect(run.code == 0, "\(run.errors)")
            #expect(try user.gantry("exec", "web", "id", "-u").output == "0\n")
            #expect(try user.gantry("exec", "--user", "7", "web", "id", "-u").output == "7\n")
            #expect(try user.gantry("logs", "web").output == "hello\n")
            #expect(try user.gantry("top", "web").output.contains("sleep 1000"))
            #expect(try user.gantry("stats", "--no-stream", "web").output.contains("web"))
            let copied = try user.shell("gantry cp web:/etc/hostname own && stat -c %u own")
            #expect(copied.output == "1000\n", "\(copied.errors)")
            let stopped = try user.gantry("stop", "-t", "1", "web")
            #expect(stopped.code == 0, "\(stopped.errors)")
            #expect(try user.gantry("rm", "web").code == 0)
            #expect(try user.gantry("ps", "-aq").output == "")
        }
    }

    @Test(
        "A container lives on when its engine is killed, and the next gantry of the user joins and adopts it",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func killedEngine() throws {
        try withUser { user in
            let engine = try user.begin("exec gantry daemon")
            let run = try user.shell(
                "while [ ! -S \(user.socket) ]; do :; done; gantry run -d --name web --network none gantry/starter "
                    + "sh -c 'trap \"exit 7\" TERM; while :; do sleep 1; done'")
            #expect(run.code == 0, "\(run.errors)")
            let holder = user.processes("-namespaces")
            #expect(holder.count == 1)
            kill(engine, SIGKILL)
            waitpid(engine, nil, 0)
            // The same namespaces: or the container's files and processes would be out of reach.
            let exec = try user.gantry("exec", "web", "id", "-u")
            #expect(exec.output == "0\n", "\(exec.errors)")
            #expect(user.processes("-namespaces") == holder)
            #expect(try user.gantry("stop", "-t", "5", "web").code == 0)
            #expect(try user.gantry("wait", "web").output == "7\n")
            #expect(try user.gantry("rm", "web").code == 0)
        }
    }

    @Test(
        "Volumes and bind mounts keep their owners",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func ownership() throws {
        try withUser { user in
            let script = "touch /data/f && chown 5:7 /data/f && stat -c %u:%g /data/f && touch /own/mine"
            let first = try user.gantry(
                "run", "--rm", "--network", "none", "-v", "kept:/data", "-v", "\(user.folder)/home:/own",
                "gantry/starter", "sh", "-c", script)
            #expect(first.output == "5:7\n", "\(first.errors)")
            let second = try user.gantry(
                "run", "--rm", "--network", "none", "-v", "kept:/data", "--user", "5", "gantry/starter", "sh", "-c",
                "echo more > /data/f && stat -c %u:%g:%s /data/f")
            #expect(second.output == "5:7:5\n", "\(second.errors)")
            var facts = stat()
            #expect(stat("\(user.folder)/home/mine", &facts) == 0 && facts.st_uid == 1000)
            let path = "\(user.folder)/home/.local/share/gantry/volumes/kept/_data/f"
            #expect(stat(path, &facts) == 0 && facts.st_uid == 100_004 && facts.st_gid == 100_006)
            #expect(try user.gantry("volume", "rm", "kept").code == 0)
        }
    }

    @Test(
        "A volume gets what the image shows at its place: nothing of a directory that a layer has replaced",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func copyUp() throws {
        try withUser { user in
            for (image, name, script) in [
                ("gantry/starter", "one", "mkdir /data && touch /data/old"),
                ("one", "two", "rm -r /data && mkdir /data && touch /data/new"),
            ] {
                let run = try user.gantry("run", "--name", name, "--network", "none", image, "sh", "-c", script)
                #expect(run.code == 0, "\(run.errors)")
                let commit = try user.gantry("commit", name, name)
                #expect(commit.code == 0, "\(commit.errors)")
            }
            let seen = try user.gantry("run", "--rm", "--network", "none", "-v", "kept:/data", "two", "ls", "/data")
            #expect(seen.output == "new\n", "\(seen.errors)")
            for name in ["one", "two"] { #expect(try user.gantry("rm", name).code == 0) }
            #expect(try user.gantry("volume", "rm", "kept").code == 0)
        }
    }

    @Test("Without subordinate ids there is one id, and that is said")
    func singleID() throws {
        try withUser(hasSubordinateIDs: false) { user in
            let run = try user.gantry(
                "run", "--rm", "--network", "none", "gantry/starter", "sh", "-c", "cat /proc/self/uid_map")
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.split { $0 == "\n" || $0 == " " } == ["0", "1000", "1"])
            #expect(run.errors.contains("has no subordinate ids in /etc/subuid"))
            #expect(try user.gantry("info").errors.contains("containers have one user id"))
        }
    }

    @Test(
        "Limits that nobody gave the user are told and left out; pausing is refused by name",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"),
        .enabled(if: !OrdinaryUser.isUnified, "looks at a machine that delegates nothing"))
    func limits() throws {
        try withUser { user in
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--network", "none", "-m", "64m", "--cpus", "0.5", "gantry/starter",
                "sleep", "1000")
            #expect(run.code == 0)
            #expect(run.errors.contains("The memory limit is discarded"), "\(run.errors)")
            #expect(run.errors.contains("The CPU limit is discarded"))
            let paused = try user.gantry("pause", "web")
            #expect(paused.code == 1)
            #expect(paused.errors.contains("cannot pause container web: it has no cgroup"))
            #expect(try user.gantry("info").errors.contains("rootless: no limits"))
            #expect(try user.gantry("rm", "-f", "web").code == 0)
        }
    }

    @Test(
        "The host's network and processes can be shared",
        .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"))
    func shared() throws {
        try withUser { user in
            let run = try user.gantry(
                "run", "--rm", "--network", "host", "--pid", "host", "gantry/starter", "sh", "-c",
                "readlink /proc/self/ns/net; ls /sys/class/net >/dev/null && ls -d /proc/1")
            #expect(run.code == 0, "\(run.errors)")
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = readlink("/proc/self/ns/net", &buffer, buffer.count)
            #expect(run.output == String(decoding: buffer[..<count], as: UTF8.self) + "\n/proc/1\n")
        }
    }

    @Test("A runtime directory that is not the user's is refused, and so is a start without a home")
    func refusals() throws {
        try withUser { user in
            let foreign = try user.gantry("ps", environment: ["XDG_RUNTIME_DIR=/proc"])
            #expect(foreign.code == 1)
            #expect(foreign.errors.contains("XDG_RUNTIME_DIR"), "\(foreign.errors)")
            let homeless = try user.shell("unset HOME; exec gantry ps")
            #expect(homeless.code == 1)
            #expect(homeless.errors.contains("neither XDG_DATA_HOME nor HOME is set"))
            let help = try user.shell("unset HOME; exec gantry --help")
            #expect(help.code == 0)
        }
    }
}

extension OrdinaryUser {
    // A layout that cannot be read is none.
    static let isUnified = (try? CgroupLayout.current())?.mode == .unified
}
