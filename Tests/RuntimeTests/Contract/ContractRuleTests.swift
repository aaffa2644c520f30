import Glibc
import Linux
import Testing

@testable import Runtime

/// Every MUST of the specification on every runtime that is installed, and where they differ.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(5)))
struct ContractRuleTests {
    /// The rules that another runtime is known not to keep, with the reason. One that it keeps after all fails here, too:
    /// the list stays true. Versions are those of Debian 12: runc 1.1.5, crun 1.8.1.
    private static let differences: [String: [String: String]] = [
        "runc": [
            "runtime.md, Lifecycle: a startContainer hook that fails ends start, and the program is not run":
                "its start has returned before the hook runs",
            "runtime.md, Lifecycle: a poststart hook that fails is a warning; the others and the program run":
                "it ends the container and fails",
            "runtime.md, Lifecycle: a poststop hook that fails is a warning; the others run": "it stops at the first",
            "config.md, POSIX process: a limit that is given twice is an error": "it takes both, one after the other",
            "config.md, Hostname: host and domain name are set": "1.1 is older than domainname",
            "config-linux.md, Devices: a file that is there and is another is an error": "it leaves the file there",
            "config-linux.md, Rootfs Mount Propagation: the root has the propagation asked for":
                "it gives it to the tree before the root is changed, and to the new root none",
        ],
        "crun": [
            "config.md, POSIX-platform Hooks: the state comes on standard input": "its status is `created` too early",
            "config.md, POSIX-platform Hooks: a hook's path is absolute": "it does not look",
            "config.md, POSIX-platform Hooks: a timeout is above zero": "it takes zero for none",
            "runtime.md, Lifecycle: a startContainer hook that fails ends start, and the program is not run":
                "its start has returned before the hook runs",
            "config.md, Process: cwd is absolute": "it takes a relative one from the root",
            "config.md, POSIX process: a limit that is given twice is an error": "it takes both, one after the other",
            "config.md, Linux process: a capability that there is not is a warning, no error": "it says nothing",
            "config.md, Valid values: a value of the wrong type is an error": "its parser passes it over",
            "config.md, Valid values: a propagation that there is not is an error": "it passes it over",
            "config-linux.md, Namespaces: a kind given twice is an error": "it takes the last",
            "config-linux.md, Devices: a file that is there and is another is an error": "it leaves the file there",
        ],
    ]

    @Test("A runtime keeps the specification's rules", arguments: RuntimeUnderTest.peers, ContractRule.all)
    func rule(_ runtime: RuntimeUnderTest, _ rule: ContractRule) throws {
        let holds = try rule.holds(try TestContainer(runtime))
        if let reason = Self.differences[runtime.name]?[rule.name] {
            #expect(!holds, "\(runtime.name) keeps the rule now, which was thought broken: \(reason)")
        } else {
            #expect(holds, "\(runtime.name) does not keep the rule")
        }
    }

    @Test("The list of differences names rules that there are")
    func listIsTrue() {
        let names = Set(ContractRule.all.map(\.name))
        #expect(names.count == ContractRule.all.count)
        for list in Self.differences.values { for name in list.keys { #expect(names.contains(name), "\(name)") } }
    }
}

extension RuntimeUnderTest {
    /// All, and crun: on a machine with both versions of cgroups, Debian's refuses to work where it sees version 2 with a
    /// controller, so it is run in a mount namespace of its own that hides that.
    static let peers: [RuntimeUnderTest] = {
        let path = "/usr/bin/crun"
        guard access(path, X_OK) == 0 else {
            print("crun is not installed: the contract is tried without it")
            return all
        }
        var crun = RuntimeUnderTest(name: "crun", path: path)
        if access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK) == 0 {
            crun.launcher = [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                "umount /sys/fs/cgroup/unified; exec \"$@\"", "sh",
            ]
        }
        return all + [crun]
    }()
}
