import EngineAPI
import Testing

@testable import Networking

/// Networks that are nothing but the configuration of others.
@Suite struct NetworkConfigurationTests {
    private static func make(
        _ name: String, _ role: NetworkConfigurationRole?, beside others: [NetworkDefinition] = [],
        _ change: (inout NetworkSpec) -> Void = { _ in }
    ) throws(EngineError) -> NetworkDefinition {
        var spec = NetworkSpec(name: name)
        spec.configuration = role
        change(&spec)
        return try NetworkDraft(networks: others, routes: []).definition(
            spec, id: String(repeating: "5a", count: 32), createdAt: 0, linkName: "gt-\(name)")
    }

    private static func plan(_ name: String = "plan") throws(EngineError) -> NetworkDefinition {
        try make(name, .only) { spec in
            spec.pools = [AddressPool(subnet: "10.1.0.0/24", range: "10.1.0.128/25")]
            spec.options = ["com.docker.network.driver.mtu": "1400", "parent": "eth7"]
            (spec.labels, spec.ipamOptions) = (["a": "b"], ["c": "d"])
        }
    }

    @Test("A configuration is kept as it was said; several may have one subnet, and nothing is chosen for them")
    func plans() throws {
        let plan = try Self.plan()
        #expect(plan.isConfiguration && plan.driver == .configuration && plan.spec.driver == "null")
        #expect(plan.blocks.isEmpty && plan.linkName.isEmpty)
        #expect(plan.spec.pools == [AddressPool(subnet: "10.1.0.0/24", range: "10.1.0.128/25")])
        #expect(throws: Never.self) {
            try Self.make("second", .only, beside: [plan]) { $0.pools = plan.spec.pools }
        }
        #expect(try Self.make("bare", .only).spec.pools.isEmpty)
    }

    @Test("Who takes a configuration has its subnets, options and labels, and a driver of its own")
    func taking() throws {
        let plan = try Self.plan()
        let taken = try Self.make("taken", .from("plan"), beside: [plan]) { $0.isInternal = true }
        #expect(taken.driver == .bridge && taken.linkName == "gt-taken" && taken.mtu == 1400 && taken.hasOwnSubnet)
        #expect(taken.blocks.map(\.subnet.description) == ["10.1.0.0/24"])
        #expect(taken.blocks.map(\.range.description) == ["10.1.0.128/25"])
        #expect(taken.spec.labels == ["a": "b"] && taken.spec.ipamOptions == ["c": "d"] && taken.spec.isInternal)
        #expect(taken.spec.configuration == .from("plan"))
        let far = try Self.make("far", .from("plan"), beside: [plan]) { $0.driver = "macvlan" }
        #expect(far.driver == .macvlan && far.linkName == "eth7")
        let error = #expect(throws: EngineError.self) {
            try Self.make("third", .from("plan"), beside: [plan, taken])
        }
        #expect(error?.message.contains("Pool overlaps with other one") == true)
    }

    @Test("What a configuration cannot say, and what only it may, is refused in docker's words")
    func refusals() throws {
        let ordinary = try Self.make("front", nil)
        let plan = try Self.plan()
        func expect(
            _ kind: EngineError.Kind, _ words: String, _ role: NetworkConfigurationRole,
            _ change: (inout NetworkSpec) -> Void = { _ in }
        ) {
            let error = #expect(throws: EngineError.self) {
                try Self.make("x", role, beside: [ordinary, plan], change)
            }
            #expect(error?.kind == kind && error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
        }
        let operators = "configuration network can only contain network specific fields."
        expect(.denied, operators, .only) { $0.isInternal = true }
        expect(.denied, operators, .only) { $0.isAttachable = true }
        expect(.invalid, "invalid subnet 300.0.0.0/8", .only) { $0.pools = [AddressPool(subnet: "300.0.0.0/8")] }
        for name in ["nosuch", "front"] {
            expect(.notFound, "configuration network \"\(name)\" does not exist", .from(name))
        }
        let both = "user specified configurations are not supported if the network depends on a configuration network"
        expect(.denied, both, .from("plan")) { $0.pools = [AddressPool(subnet: "10.2.0.0/24")] }
        expect(.denied, both, .from("plan")) { $0.labels = ["a": "b"] }
        expect(.denied, both, .from("plan")) { $0.enablesIPv6 = true }
        expect(.denied, both, .from("plan")) { $0.ipamOptions = ["a": "b"] }
        expect(.denied, "network driver options are not supported if", .from("plan")) { $0.options = ["a": "b"] }
    }

    @Test("No container is part of a configuration")
    func members() throws {
        let plan = try Self.plan()
        let error = #expect(throws: EngineError.self) { try EndpointPlan.check(EndpointSpec(), plan) }
        #expect(error == EngineError(.denied, "cannot create endpoint on configuration-only network", object: "plan"))
    }
}
