import JSON
import OCI
import Testing

@Suite struct RuntimeSpecTests {
    private static let document = #"""
        {"ociVersion":"1.2.0","root":{"path":"rootfs"},"hostname":"h","zos":{"x":1},
        "process":{"args":["a"],"cwd":"/","later":{"policy":"x"},
        "user":{"uid":1,"gid":2,"additionalGids":[3]},"scheduler":{"policy":"SCHED_IDLE"},
        "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1}]},
        "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid"]}],
        "hooks":{"prestart":[{"path":"/bin/x","args":["x"],"timeout":3}]},
        "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/p"}],"intelRdt":{"closID":"c"},
        "resources":{"memory":{"limit":1024},"devices":[{"allow":false,"access":"rwm"}],"rdma":{"x":{"hcaObjects":1}}},
        "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW",
        "args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]}]}}}
        """#

    @Test("A configuration is read")
    func reading() throws {
        let spec = try RuntimeSpec(JSONValue(parsing: Self.document))
        #expect(spec.process?.user == RuntimeUser(uid: 1, gid: 2, additionalGids: [3]))
        #expect(spec.process?.rlimits.first?.hard == .max)
        #expect(spec.hooks.prestart.first?.timeoutSeconds == 3)
        #expect(spec.linux.namespaces == [LinuxNamespace(.pid), LinuxNamespace(.network, path: "/p")])
        #expect(spec.linux.resources?.memory?.limitBytes == 1024)
        #expect(spec.linux.resources?.devices == [LinuxDeviceRule(allow: false)])
        #expect(spec.linux.seccomp?.syscalls.first?.args.first?.value == 8)
    }

    @Test("Members that are not known stay when it is written again")
    func unknownMembers() throws {
        let spec = try RuntimeSpec(JSONValue(parsing: Self.document))
        let again = try RuntimeSpec(JSONValue(parsing: spec.json.compactBytes))
        #expect(again == spec)
        #expect(again.json["zos"]?["x"]?.integer == 1)
        #expect(again.json["process"]?["scheduler"]?["policy"]?.string == "SCHED_IDLE")
        #expect(again.json["process"]?["later"]?["policy"]?.string == "x")
        #expect(again.json["linux"]?["intelRdt"]?["closID"]?.string == "c")
        #expect(again.json["linux"]?["resources"]?["rdma"] != nil)
    }

    @Test(
        "A complaint names the property",
        arguments: [
            (#"{}"#, "ociVersion"), (#"{"ociVersion":1}"#, "ociVersion"),
            (#"{"ociVersion":"1","process":{"args":["a"]}}"#, "process.cwd"),
            (#"{"ociVersion":"1","process":{"cwd":"/","args":["a",1]}}"#, "process.args[1]"),
            (#"{"ociVersion":"1","process":{"cwd":"/","later":{"policy":"x"},"user":{"uid":-1}}}"#, "process.user.uid"),
            (#"{"ociVersion":"1","process":{"cwd":"/a\u0000b"}}"#, "process.cwd"),
            (#"{"ociVersion":"1","mounts":[{},{}]}"#, "mounts[0].destination"),
            (#"{"ociVersion":"1","linux":{"namespaces":[{"type":"x"}]}}"#, "linux.namespaces[0].type"),
            (#"{"ociVersion":"1","linux":{"resources":{"memory":{"limit":"1g"}}}}"#, "linux.resources.memory.limit"),
            (#"{"ociVersion":"1","hooks":{"poststop":[{"path":"x"}]}}"#, "hooks.poststop[0].path"),
            ("[]", "config.json"),
        ])
    func complaints(_ text: String, _ property: String) throws {
        let json = try JSONValue(parsing: text)
        let error = #expect(throws: RuntimeSpecError.self) { try RuntimeSpec(json) }
        #expect(error?.property == property)
    }
}

@Suite struct DefaultSeccompTests {
    private func allowed(_ name: String, _ capabilities: Set<String>) -> Bool {
        DefaultSeccomp.profile(capabilities: capabilities, machine: .x86_64).syscalls.contains {
            $0.names.contains(name) && $0.action == "SCMP_ACT_ALLOW" && $0.args.isEmpty
        }
    }

    @Test(
        "Capabilities open calls",
        arguments: [
            ("mount", "CAP_SYS_ADMIN"), ("chroot", "CAP_SYS_CHROOT"), ("init_module", "CAP_SYS_MODULE"),
            ("reboot", "CAP_SYS_BOOT"), ("settimeofday", "CAP_SYS_TIME"), ("bpf", "CAP_BPF"),
            ("clone3", "CAP_SYS_ADMIN"),
        ])
    func capabilities(_ call: String, _ capability: String) {
        #expect(!allowed(call, []))
        #expect(allowed(call, [capability]))
    }

    @Test("What ordinary programs need is allowed, what escapes were made of is not")
    func plain() {
        for call in ["read", "execve", "futex", "openat2", "ptrace", "fchmodat2"] { #expect(allowed(call, [])) }
        for call in ["keyctl", "add_key", "kexec_load", "io_uring_setup", "userfaultfd", "socket"] {
            #expect(!allowed(call, []))
        }
    }

    @Test("Without CAP_SYS_ADMIN clone3 looks unknown and clone takes no namespace")
    func clone() {
        let rules = DefaultSeccomp.profile(capabilities: [], machine: .x86_64).syscalls
        #expect(rules.contains { $0.names == ["clone3"] && $0.errnoRet == 38 })
        #expect(rules.contains { $0.names == ["clone"] && $0.args.first?.value == 0x7E02_0000 })
    }
}
