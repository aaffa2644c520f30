import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Shares of the processor's caches and bandwidth as values: machines that have them are rare.
@Suite struct ResctrlPlanTests {
    private static func plan(_ text: String, root: String? = "/sys/fs/resctrl") throws -> ResctrlPlan {
        let json = try JSONValue(parsing: #"{"ociVersion":"1.3.0","linux":{"intelRdt":\#(text)}}"#)
        return try #require(try ResctrlPlan(try RuntimeSpec(json).linux.intelRdt, id: "id", root: root))
    }

    @Test("Without a name the group is the container's own, and goes with it")
    func own() throws {
        let plan = try Self.plan(#"{"schemata":["L2:0=f"],"memBwSchema":"MB:0=20","l3CacheSchema":"L3:0=7f0"}"#)
        #expect(plan.group == "/sys/fs/resctrl/id" && plan.makesGroup && plan.ownsGroup)
        // The cache first, the bandwidth second, then the lines as they are.
        #expect(plan.schemata == ["L3:0=7f0", "MB:0=20", "L2:0=f"])
        #expect(plan.expected == [] && plan.monitoring == nil)
    }

    @Test("A named group is made where it has a schema, must be there where not, and stays")
    func named() throws {
        let shaped = try Self.plan(#"{"closID":"guaranteed","l3CacheSchema":"L3:0=1"}"#)
        #expect(shaped.group == "/sys/fs/resctrl/guaranteed" && shaped.makesGroup && !shaped.ownsGroup)
        #expect(shaped.expected == ["L3:0=1"])
        let prepared = try Self.plan(#"{"closID":"guaranteed"}"#)
        #expect(!prepared.makesGroup && !prepared.ownsGroup && prepared.schemata == [])
        #expect(try Self.plan(#"{"closID":"/"}"#).group == "/sys/fs/resctrl")
    }

    @Test(
        "Monitoring is a group of its own below, under each of its names",
        arguments: ["enableMonitoring", "enableCMT", "enableMBM"])
    func monitoring(_ name: String) throws {
        let text = #"{"closID":"g","\#(name)":true}"#
        #expect(try Self.plan(text).monitoring == "/sys/fs/resctrl/g/mon_groups/id")
        #expect(try Self.plan(#"{"\#(name)":true}"#).monitoring == "/sys/fs/resctrl/id/mon_groups/id")
    }

    @Test(
        "A group that is there must have the shares asked for, however the kernel writes them",
        arguments: [
            ("L3:0=7f0;1=1f", "MB:0=20", nil), ("L3:1=01f", "MB:1=70", nil), ("L3:0=7f1", "MB:0=20", "L3:0=7f1"),
            ("L3:0=7f0", "MB:0=30", "MB:0=30"), ("L3:2=1", "MB:0=20", "L3:2=1"),
        ] as [(String, String, String?)])
    func comparison(_ cache: String, _ bandwidth: String, _ mismatch: String?) throws {
        let plan = try Self.plan(#"{"closID":"g","l3CacheSchema":"\#(cache)","memBwSchema":"\#(bandwidth)"}"#)
        #expect(plan.mismatch(with: "    MB:0= 20;1= 70\n    L3:0=7f0;1=01f\n    L2:0=ff\n") == mismatch)
    }

    @Test(
        "Names and lines that would go elsewhere are refused",
        arguments: [
            (#"{"closID":"a/b"}"#, "linux.intelRdt.closID"), (#"{"closID":".."}"#, "linux.intelRdt.closID"),
            (#"{"schemata":["L3:0=1\nL3:1=1"]}"#, "linux.intelRdt.schemata[0]"),
            (#"{"l3CacheSchema":"L3:0=1\n"}"#, "linux.intelRdt.l3CacheSchema"),
            (#"{"memBwSchema":"L3:0=1"}"#, "linux.intelRdt.memBwSchema"),
            (#"{"enableMonitoring":1}"#, "linux.intelRdt.enableMonitoring"),
        ])
    func refusals(_ text: String, _ property: String) {
        let error = #expect(throws: RuntimeSpecError.self) { try Self.plan(text) }
        #expect(error?.property == property)
    }

    @Test(
        "Without the file system the property is refused, by create and by update",
        .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"))
    func absent() throws {
        guard try !MountTable.current().contains(where: { $0.type == "resctrl" }) else { return }
        let container = try TestContainer(.ours)
        container.spec.linux.intelRdt = LinuxIntelRdt()
        let result = try container.create()
        let words = "linux.intelRdt: intelRdt is specified in config, but Intel RDT is not enabled"
        #expect(result.code == 1 && result.errors.contains(words), "\(result.errors)")
        #expect(try container.leftovers() == [])
        container.spec.linux.intelRdt = nil
        try container.createAndStart()
        let updated = try container.command("update", "--l3-cache-schema", "L3:0=1", container.id)
        #expect(updated.code == 1 && updated.errors.contains("l3 cache schema is not enabled"), "\(updated.errors)")
    }

    @Test("A container's groups are remembered")
    func record() throws {
        let groups = ResctrlGroups(joined: ["/r/id", "/r/id/mon_groups/id"], made: ["/r/id/mon_groups/id", "/r/id"])
        #expect(try ResctrlGroups(RuntimeProperty(groups.json)) == groups)
    }
}
