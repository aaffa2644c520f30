import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// `features`, against what the program really takes.
@Suite struct FeaturesTests {
    private static func names(_ way: String...) throws -> [String] {
        var value: JSONValue? = Features.json
        for name in way { value = value?[name] }
        return try #require(value?.array, "\(way)").compactMap(\.string)
    }

    private static func spec(_ linux: String) throws -> RuntimeSpec {
        try RuntimeSpec(try JSONValue(parsing: #"{"ociVersion":"1.3.0","linux":\#(linux)}"#))
    }

    @Test("Its members are those of the specification")
    func members() throws {
        let linux = try #require(Features.json["linux"]?.object)
        #expect(
            Features.json.object?.members.map(\.name) == [
                "ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations",
                "potentiallyUnsafeConfigAnnotations",
            ])
        #expect(
            Set(linux.members.map(\.name)) == [
                "namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "memoryPolicy", "intelRdt",
                "mountExtensions", "netDevices",
            ])
        let seccomp = try #require(linux["seccomp"]?.object).members.map(\.name)
        #expect(
            Set(seccomp) == ["enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"])
        for (object, members) in [
            ("intelRdt", ["enabled", "schemata", "monitoring"]), ("netDevices", ["enabled"]), ("apparmor", ["enabled"]),
            ("selinux", ["enabled"]), ("cgroup", ["v1", "v2", "systemd", "systemdUser", "rdma"]),
        ] {
            for member in members { #expect(linux[object]?[member]?.bool == true, "\(object).\(member)") }
        }
        #expect(linux["mountExtensions"]?["idmap"]?["enabled"]?.bool == true)
        let annotations = try #require(Features.json["annotations"])
        #expect(annotations["io.github.seccomp.libseccomp.version"]?.string?.split(separator: ".").count == 3)
        #expect(annotations["org.opencontainers.runc.checkpoint.enabled"]?.string == "true")
        #expect(annotations["org.gantry.runtime.version"]?.string == Invocation.version)
        #expect(
            try Self.names("potentiallyUnsafeConfigAnnotations") == ["org.systemd.property.", "org.criu.config"])
    }

    @Test("Both versions of the specification that it names are taken, and no bundle of ours is newer")
    func versions() throws {
        let versions = try ["ociVersionMin", "ociVersionMax"].map { try #require(Features.json[$0]?.string) }
        #expect(versions == ["1.0.0", RuntimeSpec.newestVersion])
        #expect(Invocation.template().ociVersion <= versions[1])
        for version in versions { _ = try ContainerPlanTests.plan { $0.ociVersion = version } }
    }

    @Test("Each name in its lists is known, and one beside them is not")
    func lists() throws {
        for option in try Self.names("mountOptions") { #expect(MountOptions([option]).data == "", "\(option)") }
        #expect(MountOptions(["gantry-option"]).data == "gantry-option")
        for name in try Self.names("linux", "namespaces") {
            #expect(try Self.spec(#"{"namespaces":[{"type":"\#(name)"}]}"#).linux.namespaces.count == 1)
        }
        #expect(try Self.names("linux", "namespaces").count == LinuxNamespace.Kind.allCases.count)
        for name in try Self.names("linux", "capabilities") { #expect(CapabilitySet(name: name) != nil, "\(name)") }
        for name in try Self.names("hooks") {
            let json = try JSONValue(parsing: #"{"\#(name)":[{"path":"/x"}]}"#)
            #expect(try !RuntimeHooks(RuntimeProperty(json)).isEmpty, "\(name)")
        }
        for mode in try Self.names("linux", "memoryPolicy", "modes") {
            let flags = try Self.names("linux", "memoryPolicy", "flags").map { "\"\($0)\"" }.joined(separator: ",")
            let policy = try Self.spec(#"{"memoryPolicy":{"mode":"\#(mode)","flags":[\#(flags)]}}"#).linux.memoryPolicy
            #expect(policy?.mode.rawValue == mode && policy?.flags.count == 3)
        }
    }

    @Test("Each word of a filter that it names makes a filter")
    func seccomp() throws {
        for action in try Self.names("linux", "seccomp", "actions") where action != "SCMP_ACT_NOTIFY" {
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [LinuxSyscall(["getcwd"], action: action)]
            // What does what the rest does already is passed over; all else is compiled.
            _ = try SeccompCompiler.compile(profile)
        }
        for comparison in try Self.names("linux", "seccomp", "operators") {
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            let argument = LinuxSyscallArgument(index: 0, value: 1, comparison: comparison)
            profile.syscalls = [LinuxSyscall(["getcwd"], action: "SCMP_ACT_ERRNO", args: [argument])]
            _ = try SeccompCompiler.compile(profile)
        }
        for architecture in try Self.names("linux", "seccomp", "archs") {
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ERRNO")
            profile.architectures = [architecture]
            do throws(RuntimeError) {
                _ = try SeccompCompiler.compile(profile)
            } catch {
                // Known, but of the other order of bytes: no machine has both.
                #expect(error.message.contains("numerical argument out of domain"), "\(error)")
            }
        }
        for flag in try Self.names("linux", "seccomp", "supportedFlags") {
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.flags = [flag]
            _ = try? SeccompFilter.flags(of: profile, nil)  // Some need an agent to wait for.
        }
    }
}
