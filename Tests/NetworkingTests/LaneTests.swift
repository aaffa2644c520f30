import EngineAPI
import Linux
import Testing

@testable import Networking

/// Networks whose containers have devices over one of the host's: macvlan and ipvlan.
struct LaneTests {
    private static let id = String(repeating: "5a", count: 32)

    private func make(
        _ driver: String, _ options: [String: String], _ others: [NetworkDefinition] = []
    ) throws(EngineError) -> NetworkDefinition {
        var spec = NetworkSpec(name: "lane")
        (spec.driver, spec.options) = (driver, options)
        return try NetworkDraft(networks: others, routes: [])
            .definition(spec, id: Self.id, createdAt: 0, linkName: "gt-none")
    }

    @Test("Without a device of the host such a network has one of its own, and leads nowhere")
    func own() throws {
        for (driver, name) in [("macvlan", "dm-5a5a5a5a5a5a"), ("ipvlan", "di-5a5a5a5a5a5a")] {
            let network = try make(driver, [:])
            #expect(network.linkName == name && network.hasOwnParent && network.spec.isInternal)
            let named = try make(driver, ["parent": "eth0"])
            #expect(named.linkName == "eth0" && !named.hasOwnParent && !named.spec.isInternal)
        }
    }

    @Test(
        "What an option of theirs wishes that is not to be had is refused in docker's words",
        arguments: [
            ("ipvlan", "ipvlan_mode", "l4", "requested ipvlan mode 'l4' is not valid, 'l2' mode is the ipvlan driver"),
            ("ipvlan", "ipvlan_flag", "x", "requested ipvlan flag 'x' is not valid, 'bridge' is the ipvlan driver"),
            ("ipvlan", "parent", "lo", "loopback interface is not a valid ipvlan parent link"),
            ("macvlan", "parent", "lo", "loopback interface is not a valid macvlan parent link"),
            ("ipvlan", "com.docker.network.driver.mtu", "5", "invalid value '5' for com.docker.network.driver.mtu"),
        ])
    func refused(driver: String, option: String, value: String, words: String) {
        let error = #expect(throws: EngineError.self) { try make(driver, [option: value]) }
        #expect(error?.kind == .invalid && error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    @Test("Every mode and flag of docker's is taken; two ipvlan networks over one device are not")
    func taken() throws {
        for mode in ["", "l2", "l3", "l3s"] {
            for flag in ["", "bridge", "private", "vepa"] {
                let options = ["parent": "eth0", "ipvlan_mode": mode, "ipvlan_flag": flag]
                #expect(throws: Never.self) { try make("ipvlan", options) }
            }
        }
        var first = try make("ipvlan", ["parent": "eth0"])
        first.spec.name = "first"
        let error = #expect(throws: EngineError.self) { try make("ipvlan", ["parent": "eth0"], [first]) }
        #expect(error?.message == "network di-5a5a5a5a5a5a is already using parent interface eth0")
        #expect(throws: Never.self) { try make("ipvlan", ["parent": "eth1"], [first]) }
    }

    @Test("The address of an ipvlan's device is its parent's: nobody gives it another")
    func addresses() throws {
        var spec = EndpointSpec()
        spec.macAddress = "02:42:ac:11:00:02"
        let error = #expect(throws: EngineError.self) { try EndpointPlan.check(spec, make("ipvlan", [:])) }
        #expect(error?.message == "ipvlan interfaces do not support custom mac address assignment")
        #expect(throws: Never.self) { try EndpointPlan.check(spec, make("macvlan", [:])) }
    }
}
