import EngineAPI
import Testing

@testable import Networking

@Suite struct ParentVLANTests {
    @Test(
        "A parent that is not there is a VLAN by its name, or refused in docker's words",
        arguments: [
            ("eth0.10", "eth0", 10, ""), ("a.1", "a", 1, ""), ("eth0.4094", "eth0", 4094, ""),
            ("eth0", "", 0, "invalid subinterface vlan name eth0, example formatting is eth0.10"),
            ("eth0.1.2", "", 0, "required interface name format is: name.vlan_id, ex. eth0.10"),
            ("eth0.", "", 0, "unable to parse a valid vlan id from:  (ex. eth0.10 for vlan 10)"),
            ("eth0.x", "", 0, "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"),
            ("eth0.0", "", 0, "vlan id must be between 1-4094, received: 0"),
            ("eth0.4095", "", 0, "vlan id must be between 1-4094, received: 4095"),
            ("eth0.-1", "", 0, "vlan id must be between 1-4094, received: -1"),
        ])
    func names(name: String, device: String, id: UInt16, refusal: String) throws {
        guard !refusal.isEmpty else {
            let vlan = try ParentVLAN(name)
            #expect(vlan.device == device && vlan.id == id)
            return
        }
        let error = #expect(throws: EngineError.self) { try ParentVLAN(name) }
        #expect(error?.kind == .invalid && error?.message.hasPrefix(refusal) == true, "\(error?.message ?? "")")
    }
}
