import Glibc
import Linux
import Netlink
import Testing

@testable import Networking

/// The filter of iptables-legacy, in a network namespace that the test makes.
@Suite(
    .enabled(
        if: geteuid() == 0 && access("/usr/sbin/iptables-legacy", X_OK) == 0, "needs root and Debian's iptables"))
struct LegacyFirewallTests {
    private func chain(
        after commands: [String], _ family: IPAddress.Family = .v4, with program: String = "iptables-legacy"
    ) throws -> LegacyForwardChain? {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        return try NetworkNamespace.run(in: namespace.descriptor) { () throws(KernelError) in
            for command in commands {
                let words = [program] + command.split(separator: " ").map(String.init)
                let pid = try Spawn(program: "/usr/sbin/\(program)", arguments: words).start()
                var status: Int32 = 0
                try kernelCall("wait") { waitpid(pid, &status, 0) }
                guard status == 0 else { throw KernelError(command, program, .invalidArgument) }
            }
            return try LegacyForwardChain.read(family)
        }
    }

    @Test("A filter that nobody has used is not read, and not made by that")
    func unused() throws {
        #expect(try chain(after: []) == nil)
        #expect(try chain(after: ["-S"], .v6) == nil)
    }

    @Test("A policy that drops is told with what helps, for the devices that no rule is about")
    func dropping() throws {
        let commands = [
            "-P FORWARD DROP", "-A FORWARD -i br-+ -j ACCEPT", "-I FORWARD -o gt-1 -m comment --comment x -j ACCEPT",
            "-A INPUT -i gt-2 -j ACCEPT",
        ]
        let found = try #require(try chain(after: commands))
        #expect(found.dropsTheRest && found.ruleCount == 2 && found.devices == ["br-+", "gt-1"])
        #expect(found.warning("br-7", network: "x") == nil && found.warning("gt-1", network: "x") == nil)
        let warning = try #require(found.warning("gt-2", network: "front"))
        #expect(warning.contains("network front (gt-2) reaches no other machine"))
        #expect(warning.hasSuffix("iptables-legacy -I FORWARD -o gt-2 -j ACCEPT"))
    }

    @Test("Where packets pass nothing is told, whatever rules there are")
    func accepting() throws {
        let found = try #require(try chain(after: ["-A FORWARD -i eth9 -j DROP"]))
        #expect(!found.dropsTheRest && found.ruleCount == 1)
        #expect(found.warning("gt-1", network: "front") == nil)
    }

    @Test("The filter of version 6 is read as well")
    func version6() throws {
        let commands = ["-P FORWARD DROP", "-A FORWARD -s fd00::/8 -i gt-1 -j ACCEPT"]
        let found = try #require(try chain(after: commands, .v6, with: "ip6tables-legacy"))
        #expect(found.dropsTheRest && found.devices == ["gt-1"])
        #expect(found.warning("gt-2", network: "x")?.contains("ip6tables-legacy -I FORWARD -i gt-2") == true)
    }

    @Test("What is no table is nothing, and reads no further than it goes")
    func damaged() {
        for count in [0, 40, 111, 112, 151] {
            for byte in [0, 1, 0xFF] as [UInt8] {
                let table = [UInt8](repeating: byte, count: count)
                #expect(LegacyForwardChain(.v4, table: table, first: 0, policy: count) == nil)
                #expect(LegacyForwardChain(.v6, table: table, first: 8, policy: 4) == nil)
            }
        }
    }
}
