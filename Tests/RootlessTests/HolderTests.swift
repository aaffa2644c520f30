import Glibc
import Linux
import Testing

/// The program that keeps an ordinary user's namespaces is killed; what was in them goes on, and is reached again.
@Suite(
    .serialized, .enabled(if: OrdinaryUser.isPossible, "needs root, to become another user"),
    .enabled(if: OrdinaryUser.hasHelpers, "uidmap is not installed"), .timeLimit(.minutes(3)))
struct HolderTests {
    private func killHolder(_ user: OrdinaryUser) throws {
        let holders = user.processes("-namespaces")
        let pid = try #require(holders.count == 1 ? holders.first : nil, "\(holders)")
        let process = OwnedDescriptor(try PidFD.open(pid: pid))
        try PidFD.send(SIGKILL, to: process.descriptor)
        #expect(try PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: 10_000))
    }

    private static let uplinks = ["/usr/bin/pasta", "/usr/bin/slirp4netns"]

    @Test(
        "Containers, names, ports and the way out outlive a killed holder; the next gantry reaches them all",
        arguments: Self.uplinks.filter { (path: String) in access(path, X_OK) == 0 })
    func containersOnly(uplink: String) throws {
        try OrdinaryUser.with { user in
            user.hidden = Self.uplinks.filter { $0 != uplink }
            let port = try NetworkTests.freePort()
            #expect(try user.gantry("network", "create", "front").code == 0)
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--network", "front", "--hostname", "there", "-p", "\(port):80",
                "gantry/starter", "httpd", "-f", "-h", "/etc")
            #expect(run.code == 0, "\(run.errors)")
            #expect(try NetworkTests.fetch("hostname", port) == "there\n")
            try killHolder(user)
            // Nobody has come by yet.
            #expect(try NetworkTests.fetch("hostname", port) == "there\n")
            let exec = try user.gantry("exec", "web", "cat", "/etc/hostname")
            #expect(exec.output == "there\n", "\(exec.errors)")
            #expect(user.processes("-namespaces").count == 1)
            // Where the container's network is.
            let friend = try user.gantry(
                "run", "--rm", "--network", "front", "gantry/starter", "timeout", "5", "wget", "-qO-",
                "http://web/hostname")
            #expect(friend.output == "there\n", "\(friend.errors)")
            #expect(user.processes("\(user.folder)/run/gantry/network").count == 1, "one uplink")
            #expect(try NetworkTests.fetch("hostname", port) == "there\n")
            // It is killed again, and followed again.
            try killHolder(user)
            #expect(try user.gantry("ps", "-q").output.split(separator: "\n").count == 1)
            #expect(try NetworkTests.fetch("hostname", port) == "there\n")
            #expect(try user.gantry("rm", "-f", "web").code == 0)
            #expect(try user.gantry("network", "rm", "front").code == 0)
        }
    }

    @Test("The successor stays for what is inside, without a program that drives it; it ends with the last container")
    func successorStays() throws {
        try OrdinaryUser.with { user in
            let run = try user.gantry("run", "-d", "--name", "web", "gantry/starter", "sleep", "1000")
            #expect(run.code == 0, "\(run.errors)")
            try killHolder(user)
            #expect(try user.gantry("ps", "-q").code == 0)
            let successor = user.processes("-namespaces")
            #expect(successor.count == 1)
            #expect(try user.gantry("exec", "web", "true").code == 0)
            #expect(user.processes("-namespaces") == successor)
            #expect(try user.gantry("rm", "-f", "web").code == 0)
        }
    }

    @Test("An engine whose holder is killed before it had a network finds another one by itself")
    func engineAlone() throws {
        try OrdinaryUser.with { user in
            let engine = try user.begin("exec gantry daemon")
            let first = try user.shell(
                "while [ ! -S \(user.socket) ]; do :; done; exec gantry run -d --name plain --network none "
                    + "gantry/starter sleep 1000")
            #expect(first.code == 0, "\(first.errors)")
            try killHolder(user)
            let port = try NetworkTests.freePort()
            let run = try user.gantry(
                "run", "-d", "--name", "web", "--hostname", "there", "-p", "127.0.0.1:\(port):80", "gantry/starter",
                "httpd", "-f", "-h", "/etc")
            #expect(run.code == 0, "\(run.errors)")
            #expect(try NetworkTests.fetch("hostname", port) == "there\n")
            #expect(try user.gantry("exec", "plain", "id", "-u").output == "0\n")
            kill(engine, SIGTERM)
            waitpid(engine, nil, 0)
            #expect(try user.gantry("exec", "web", "cat", "/etc/hostname").output == "there\n")
            #expect(try user.gantry("rm", "-f", "web", "plain").code == 0)
        }
    }

    @Test("A container has none of what its shim holds for others")
    func descriptors() throws {
        try OrdinaryUser.with { user in
            let run = try user.gantry(
                "run", "--rm", "gantry/starter", "sh", "-c", "for f in /proc/1/fd/*; do readlink $f; done; true")
            #expect(run.code == 0, "\(run.errors)")
            #expect(!run.output.contains("mnt:[") && !run.output.contains("user:["), "\(run.output)")
        }
    }
}
