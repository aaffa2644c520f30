import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Properties of units from annotations.
@Suite struct SystemdAnnotationTests {
    @Test(
        "A value is read as GVariant writes it",
        arguments: [
            ("true", .bool(true)), (" 5 ", .int32(5)), ("-7", .int32(-7)), ("0x1f", .int32(31)), ("017", .int32(15)),
            ("uint64 5000000", .uint64(5_000_000)), ("@t 7", .uint64(7)), ("byte 255", .byte(255)),
            ("int16 -1", .int16(-1)), ("uint16 9", .uint16(9)), ("int64 -9", .int64(-9)), ("1.5", .double(1.5)),
            ("double 2", .double(2)), ("'it''", nil), ("'a\\'b\\n\\u00e9'", .string("a'b\né")), ("\"x\"", .string("x")),
            ("objectpath '/a'", .path("/a")), ("signature 'as'", .signature("as")),
            ("['a', 'b']", .strings(["a", "b"])), ("@as []", .strings([])), ("[]", nil), ("[1, 'a']", nil),
            ("[uint32 1, 2]", .array(of: "u", [.uint32(1), .uint32(2)])), ("b'hi'", .bytes([104, 105, 0])),
            ("@ay [1, 2]", .bytes([1, 2])), ("<'x'>", .variant(.string("x"))),
            ("(1, 'x')", .structure([.int32(1), .string("x")])),
            (
                "@a(sasb) [('/bin/true', ['true'], false)]",
                .array(of: "(sasb)", [.structure([.string("/bin/true"), .strings(["true"]), .bool(false)])])
            ),
            ("@(su) ('x', 1)", .structure([.string("x"), .uint32(1)])), ("@(su) ('x')", nil), ("()", nil),
            ("@az []", nil), ("@s 5", nil), ("uint64 -1", nil), ("byte 256", nil), ("yes", nil), ("", nil),
            ("5 6", nil),
            ("'open", nil), ("['a'", nil), ("{'a': 1}", nil), ("@t uint32 1", nil), ("'\\u12'", nil),
            (String(repeating: "<", count: 100) + "1", nil),
        ] as [(String, BusValue?)])
    func values(_ text: String, _ expected: BusValue?) {
        // An error is the right answer where there is no value.
        #expect((try? BusText.value(text)) == expected)
    }

    @Test("Annotations become properties of the unit by systemd's driver, and of nothing without it")
    func properties() throws {
        var facts = HostFacts(layout: ContainerPlanTests.unified, capabilities: [])
        var spec = Invocation.template()
        spec.linux.cgroupsPath = "s.slice:p:n"
        spec.annotations = [
            "org.systemd.property.TimeoutStopUSec": "uint64 5",
            "org.systemd.property.CollectMode": "'inactive-or-failed'",
            "org.systemd.property.RuntimeMaxSec": "2", "org.systemd.property.RuntimeRandomizedExtraSec": "1.5",
            "other": "x",
        ]
        facts.systemd = ""
        let plan = try ContainerPlan(id: "id", bundle: "/b", spec: spec, facts: facts)
        #expect(
            plan.cgroup.properties.values.map { "\($0.name)=\($0.value)" } == [
                "CollectMode=string(\"inactive-or-failed\")", "RuntimeMaxUSec=uint64(2000000)",
                "RuntimeRandomizedExtraUSec=uint64(1500000)", "TimeoutStopUSec=uint64(5)",
            ])
        spec.linux.cgroupsPath = nil
        facts.systemd = nil
        #expect(try ContainerPlan(id: "id", bundle: "/b", spec: spec, facts: facts).cgroup.properties.values.isEmpty)
    }

    @Test(
        "CVE-2024-3154: no annotation has systemd act on the host or undo what confines the container",
        arguments: [
            ("FailureAction", "'poweroff-force'"), ("SuccessAction", "'reboot'"), ("StartLimitAction", "'reboot'"),
            ("JobTimeoutAction", "'reboot'"), ("RebootArgument", "'x'"), ("OnFailure", "['evil.service']"),
            ("OnSuccess", "['evil.service']"), ("ExecStart", "@a(sasb) [('/bin/true', ['true'], false)]"),
            ("ExecStartPre", "@a(sasb) [('/bin/true', ['true'], false)]"),
            ("ExecStopPost", "@a(sasb) [('/bin/true', ['true'], false)]"), ("Wants", "['evil.service']"),
            ("Requires", "['evil.service']"), ("BindsTo", "['x.service']"), ("Upholds", "['x.service']"),
            ("Conflicts", "['sshd.service']"), ("PropagatesStopTo", "['sshd.service']"),
            ("PropagatesReloadTo", "['sshd.service']"), ("DevicePolicy", "'auto'"),
            ("DeviceAllow", "@a(ss) [('block-*', 'rwm')]"), ("Delegate", "false"), ("Slice", "'-.slice'"),
            ("PIDs", "@au [1]"), ("Controller", "'x'"), ("User", "'root'"), ("BPFProgram", "@a(ss) [('egress', '/x')]"),
            ("IPIngressFilterPath", "['/x']"), ("failureaction", "'reboot'"), ("FailureActionSec", "1"),
        ])
    func actions(_ name: String, _ value: String) {
        let key = "org.systemd.property.\(name)"
        let error = #expect(throws: RuntimeError.self) { try SystemdAnnotations.properties([key: value]) }
        #expect(error?.message.hasPrefix("annotations.\(key): property \(name) is refused") == true)
    }

    @Test(
        "A name or value that is none is refused with the annotation's name",
        arguments: [
            ("ab", "1", "too short"), ("A-b", "1", "non-alphabetic"), ("Memory", "lots", "value parse error"),
            ("TimeoutStopSec", "'x'", "not a number"), ("TimeoutStopSec", "-1", "not a number"),
        ])
    func refusals(_ name: String, _ value: String, _ words: String) {
        let key = "org.systemd.property.\(name)"
        let error = #expect(throws: RuntimeError.self) { try SystemdAnnotations.properties([key: value]) }
        #expect(error?.message.hasPrefix("annotations.\(key): ") == true)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("A message with numbers of every size is read as it was written")
    func roundTrip() throws {
        var message = BusMessage(.signal)
        (message.path, message.interface, message.member) = ("/a", "b.C", "D")
        message.body = [
            .byte(1), .int16(-2), .byte(3), .uint16(4), .byte(5), .double(-0.5), .array(of: "q", [.uint16(9)]),
        ]
        #expect(try BusMessage(message.bytes) == message)
    }
}
