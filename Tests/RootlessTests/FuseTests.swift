import Glibc
import Linux
import Testing

/// Roots that a program in user space puts together, where the kernel is not to: `"storage-driver": "fuse-overlayfs"`.
@Suite(
    .serialized, .enabled(if: OrdinaryUser.isPossible, "needs root, to become another user"),
    .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"),
    .enabled(if: access("/usr/bin/fuse-overlayfs", X_OK) == 0, "fuse-overlayfs is not installed"),
    .timeLimit(.minutes(3)))
struct FuseTests {
    private static func with(_ body: (OrdinaryUser) throws -> Void) throws {
        try OrdinaryUser.with { user in
            try user.configure(#"{"storage-driver": "fuse-overlayfs"}"#)
            try body(user)
        }
    }

    private static func servers(of id: String) throws -> Int {
        try Directory.list("/proc").filter { name in
            guard name.allSatisfy(\.isNumber), let line = try? FileContents.read("/proc/\(name)/cmdline") else {
                return false  // It has gone.
            }
            return String(decoding: line, as: UTF8.self).contains("upperdir=\(id)/fs")
        }.count
    }

    /// A server ends by itself once nobody has its files any more.
    private static func expectNone(of id: String) throws {
        for _ in 0..<1000 where try servers(of: id) > 0 { poll(nil, 0, 10) }
        #expect(try servers(of: id) == 0)
    }

    @Test("A container's files are changed, told, copied, committed and seen again as on the kernel's overlay")
    func files() throws {
        try Self.with { user in
            let script =
                "rm /etc/group && rm -r /home && mkdir /home && echo new > /home/made && chown 7:8 /home/made && "
                + "echo more >> /etc/passwd && touch /tmp/.wh"
            let run = try user.gantry("run", "--name", "one", "--network", "none", "gantry/starter", "sh", "-c", script)
            #expect(run.code == 0, "\(run.errors)")
            #expect(try user.gantry("info").output.contains("Storage Driver: fuse-overlayfs"))
            let driver = try user.gantry("inspect", "-f", "{{.Driver}} {{.GraphDriver.Name}}", "one")
            #expect(driver.output == "fuse-overlayfs fuse-overlayfs\n")
            let changes = try user.gantry("diff", "one").output.split(separator: "\n").map(String.init)
            let expected = [
                "A /home/made", "A /tmp/.wh", "C /etc", "C /etc/passwd", "C /home", "C /tmp", "D /etc/group",
            ]
            #expect(changes.sorted() == expected)
            #expect(try user.gantry("cp", "one:/home/made", "-").output.contains("new"))
            let commit = try user.gantry("commit", "one", "two")
            #expect(commit.code == 0, "\(commit.errors)")
            let seen = try user.gantry(
                "run", "--rm", "--network", "none", "two", "sh", "-c",
                "ls -a /home; stat -c %u:%g /home/made; ls /etc/group; tail -n 1 /etc/passwd")
            #expect(seen.output == ".\n..\nmade\n7:8\nmore\n", "\(seen.errors)")
            let again = try user.gantry("start", "-a", "one")
            #expect(again.code != 0, "its files are as it left them: there is no /etc/group to remove")
            let id = try user.gantry("inspect", "-f", "{{.Id}}", "one").output.filter { $0 != "\n" }
            #expect(try user.gantry("rm", "one").code == 0)
            try Self.expectNone(of: id)
        }
    }

    @Test("A container's files outlive the engine; one that is started again has another server, and the last one none")
    func life() throws {
        try Self.with { user in
            let engine = try user.begin("exec gantry daemon")
            let run = try user.shell(
                "while [ ! -S \(user.socket) ]; do :; done; exec gantry run -d --name web --network none gantry/starter "
                    + "sh -c 'echo kept >> /kept; exec sleep 1000'")
            #expect(run.code == 0, "\(run.errors)")
            let id = run.output.filter { $0 != "\n" }
            kill(engine, SIGKILL)
            waitpid(engine, nil, 0)
            #expect(try Self.servers(of: id) == 1)
            let exec = try user.gantry("exec", "web", "sh", "-c", "cat /kept && echo more > /more && cat /more")
            #expect(exec.output == "kept\nmore\n", "\(exec.errors)")
            #expect(try user.gantry("restart", "-t", "1", "web").code == 0)
            #expect(try user.gantry("exec", "web", "cat", "/kept", "/more").output == "kept\nkept\nmore\n")
            #expect(try Self.servers(of: id) == 1)
            #expect(try user.gantry("stop", "-t", "1", "web").code == 0)
            try Self.expectNone(of: id)
            #expect(try user.gantry("rm", "web").code == 0)
        }
    }

    @Test("Without the program that is said; images of one driver are not given to another that cannot read them")
    func refusals() throws {
        try Self.with { user in
            user.hidden = ["/usr/bin/fuse-overlayfs"]
            let missing = try user.gantry("ps")
            #expect(missing.code == 1)
            #expect(missing.errors.contains("fuse-overlayfs is not installed"), "\(missing.errors)")
            user.hidden = []
            #expect(try user.gantry("images", "-q").output.split(separator: "\n").count == 1)
            try user.configure(#"{"storage-driver": "overlay2"}"#)
            let other = try user.gantry("ps")
            #expect(other.code == 1)
            #expect(other.errors.contains("images of the storage driver fuse-overlayfs, which overlay2 cannot use"))
            try user.configure(#"{"storage-driver": "zfs"}"#)
            #expect(try user.gantry("ps").errors.contains("driver not supported: zfs"))
            // Without a word of the user's it stays with what is there.
            try user.configure("{}")
            #expect(try user.gantry("info").output.contains("Storage Driver: fuse-overlayfs"))
        }
    }

    @Test("A user whose files are on an overlay has the program's by itself, and is told why")
    func onAnOverlay() throws {
        try OrdinaryUser.with { user in
            let (home, upper, work) = ("\(user.folder)/home", "\(user.folder)/upper", "\(user.folder)/work")
            for path in [upper, work] {
                try Directory.create(path)
                chown(path, 1000, 1000)
            }
            try kernelCall("mount", home) {
                mount("overlay", home, "overlay", 0, "lowerdir=\(home),upperdir=\(upper),workdir=\(work)")
            }
            defer { umount2(home, Int32(MNT_DETACH)) }
            let info = try user.gantry("info")
            #expect(info.output.contains("Storage Driver: fuse-overlayfs"), "\(info.output)")
            #expect(
                info.errors.contains("storage driver fuse-overlayfs, which is slower: overlayfs is not available: "))
            let run = try user.gantry(
                "run", "--name", "one", "--network", "none", "gantry/starter", "sh", "-c",
                "echo new > /etc/made; cat /etc/made")
            #expect(run.code == 0 && run.output == "new\n", "\(run.errors)")
            #expect(try user.gantry("diff", "one").output == "C /etc\nA /etc/made\n")
            user.hidden = ["/usr/bin/fuse-overlayfs"]
            let other = try user.gantry("ps")
            #expect(other.code == 1, "its images are of the program that is gone")
            user.hidden = []
            #expect(try user.gantry("rm", "one").code == 0)
            #expect(try user.gantry("rmi", "gantry/starter").code == 0)
        }
    }
}
