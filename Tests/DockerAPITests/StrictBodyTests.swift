import EngineAPI
import JSON
import Testing

@testable import DockerAPI

/// What a request says in a wrong form is refused, and never taken for something weaker.
@Suite struct StrictBodyTests {
    private func refusal(_ words: String, _ read: () throws -> Void) {
        let error = #expect(throws: EngineError.self, "\(words)", performing: read)
        #expect(error?.kind == .invalid && error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
    }

    private func create(_ host: String, _ config: String = "") throws -> ContainerSpec {
        let text = #"{"Image":"i",\#(config)"HostConfig":{\#(host)}}"#
        return try CreateRequest(dockerBody: BodyReader(parsing: Array(text.utf8))).spec
    }

    private func network(_ members: String) throws -> NetworkSpec {
        try NetworkSpec(dockerBody: BodyReader(parsing: Array(#"{"Name":"n",\#(members)}"#.utf8)))
    }

    @Test(
        "A network's member of the wrong type is refused by its name",
        arguments: [
            (#""Internal":"true""#, "Internal"), (#""Internal":1"#, "Internal"),
            (#""EnableIPv6":"true""#, "EnableIPv6"), (#""Attachable":"x""#, "Attachable"), (#""Driver":5"#, "Driver"),
            (#""Options":{"a":1}"#, "Options.a"), (#""Labels":[]"#, "Labels"), (#""IPAM":"x""#, "IPAM"),
            (#""IPAM":{"Driver":5}"#, "IPAM.Driver"), (#""IPAM":{"Options":"x"}"#, "IPAM.Options"),
            (#""IPAM":{"Config":{}}"#, "IPAM.Config"), (#""IPAM":{"Config":["10.0.0.0/8"]}"#, "IPAM.Config"),
            (#""IPAM":{"Config":[{"Subnet":5}]}"#, "Subnet"), (#""IPAM":{"Config":[{}]}"#, "a subnet is required"),
        ])
    func networks(members: String, words: String) { refusal(words) { _ = try network(members) } }

    @Test("A network's body is read whole, and null is as good as absent")
    func wholeNetwork() throws {
        let spec = try network(
            #"""
            "Driver":null,"Internal":true,"Attachable":true,"EnableIPv6":true,"Options":{"a":"b"},"Labels":null,
            "IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"10.0.0.0/8","IPRange":"10.1.0.0/16",
            "Gateway":"10.0.0.1","AuxiliaryAddresses":{"x":"10.0.0.2"}}]}
            """#)
        #expect(spec.driver == "bridge" && spec.isInternal && spec.isAttachable && spec.enablesIPv6)
        #expect(spec.ipamOptions == nil && spec.dockerCreateBody["IPAM"]?["Options"] == .null)
        let said = try NetworkSpec(dockerBody: BodyReader(parsing: Array(#"{"Name":"n","IPAM":{"Options":{}}}"#.utf8)))
        #expect(said.dockerCreateBody["IPAM"]?["Options"] == [:])
        #expect(spec.options == ["a": "b"] && spec.labels.isEmpty && spec.ipamDriver == "default")
        var pool = AddressPool(subnet: "10.0.0.0/8", range: "10.1.0.0/16", gateway: "10.0.0.1")
        pool.auxiliary = ["x": "10.0.0.2"]
        #expect(spec.pools == [pool])
    }

    @Test("That a network is a configuration, or takes one, is written as it is read")
    func configurations() throws {
        let cases: [(String, NetworkConfigurationRole?)] = [
            (#""ConfigOnly":true"#, .only), (#""ConfigFrom":{"Network":"c"}"#, .from("c")),
            (#""ConfigOnly":false,"ConfigFrom":{"Network":""}"#, nil), (#""ConfigFrom":null"#, nil),
        ]
        for (members, role) in cases {
            let spec = try network(members)
            #expect(spec.configuration == role, "\(members)")
            let created = try NetworkSpec(dockerBody: BodyReader(parsing: Array(spec.dockerCreateBody.compactBytes)))
            #expect(created == spec)
            let details = NetworkDetails(id: "1", spec: spec, createdAt: Timestamp(nanosecondsSinceEpoch: 0))
            #expect(NetworkDetails(dockerBody: details.dockerBody)?.spec == spec)
        }
        let error = #expect(throws: EngineError.self) {
            try network(#""ConfigOnly":true,"ConfigFrom":{"Network":"c"}"#)
        }
        #expect(error?.message == "a configuration network cannot depend on another configuration network")
    }

    @Test(
        "A container's member of the wrong type is refused by its name, at any depth",
        arguments: [
            (#""PortBindings":{"80/tcp":{"HostIp":"127.0.0.1","HostPort":"8080"}}"#, "PortBindings.80/tcp"),
            (#""PortBindings":{"80/tcp":"8080"}"#, "PortBindings.80/tcp"),
            (#""PortBindings":{"80/tcp":["8080"]}"#, "PortBindings.80/tcp"),
            (#""PortBindings":{"80/tcp":[{"HostIp":"foo"}]}"#, #"invalid IP address: "foo""#),
            (#""Mounts":["/x"]"#, "HostConfig.Mounts"), (#""Ulimits":["nofile=1"]"#, "HostConfig.Ulimits"),
            (#""Devices":["/dev/fuse"]"#, "HostConfig.Devices"), (#""DeviceRequests":["x"]"#, "DeviceRequests"),
            (#""BlkioDeviceReadBps":["x"]"#, "BlkioDeviceReadBps"), (#""KernelMemory":"x""#, "KernelMemory"),
            (#""Memory":1.5e9"#, "HostConfig.Memory"), (#""Memory":7000000.0"#, "HostConfig.Memory"),
            (#""Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":"exec"}}]"#, "TmpfsOptions.Options"),
            (#""Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":["exec"]}}]"#, "TmpfsOptions.Options"),
            (#""Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":-5}}]"#, "invalid size: -5"),
            (#""Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Mode":-1}}]"#, "TmpfsOptions.Mode"),
        ])
    func containers(members: String, words: String) { refusal(words) { _ = try create(members) } }

    @Test(
        "So is one of its configuration",
        arguments: [
            (#""NetworkingConfig":{"EndpointsConfig":{"bridge":"x"}},"#, "EndpointsConfig.bridge"),
            (#""ExposedPorts":{"80/tcp":"x"},"#, "ExposedPorts.80/tcp"), (#""Volumes":{"/v":"x"},"#, "Volumes./v"),
        ])
    func configurations(members: String, words: String) { refusal(words) { _ = try create("", members) } }

    @Test("Null stands for Go's zero: no binding said is any port, and no endpoint said is none")
    func nulls() throws {
        let any = PortBinding(ContainerPort(80))
        for list in ["null", "[]", "[null]", "[{}]"] {
            #expect(try create(#""PortBindings":{"80/tcp":\#(list)}"#).portBindings == [any], "\(list)")
        }
        #expect(try create("", #""NetworkingConfig":{"EndpointsConfig":{"bridge":null}},"#).networks.isEmpty)
        #expect(try create("", #""Labels":{"a":null},"#).labels == ["a": ""])
        let mounts = try create(
            #""Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":[["exec"],["uid","5"]]}}]"#
        ).mounts
        #expect(mounts.map(\.options) == [["exec", "uid=5"]])
    }

    @Test(
        "What is said for a mount of another type is refused",
        arguments: [
            ("bind", #""Source":"/a","VolumeOptions":{"NoCopy":true}"#, "VolumeOptions"),
            ("bind", #""Source":"/a","VolumeOptions":{}"#, "VolumeOptions"),
            ("volume", #""BindOptions":{"Propagation":"rshared"}"#, "BindOptions"),
            ("tmpfs", #""BindOptions":{}"#, "BindOptions"),
            ("volume", #""TmpfsOptions":{"SizeBytes":5}"#, "TmpfsOptions"),
        ])
    func extraMembers(type: String, members: String, field: String) throws {
        refusal("invalid mount config for type \"\(type)\": field \(field) must not be specified") {
            _ = try create(#""Mounts":[{"Type":"\#(type)","Target":"/t",\#(members)}]"#)
        }
        #expect(
            try create(#""Mounts":[{"Type":"volume","Target":"/t","BindOptions":null,"TmpfsOptions":{}}]"#).mounts.count
                == 1)
    }

    @Test("A terminal's size is two whole numbers, and credentials are texts")
    func others() throws {
        func start(_ size: String) throws -> TerminalSize? {
            try ExecStartRequest(dockerBody: BodyReader(parsing: Array(#"{"ConsoleSize":\#(size)}"#.utf8))).size
        }
        #expect(try start("[40,100]") == TerminalSize(columns: 100, rows: 40))
        #expect(try start("null") == nil && start("[0,0]") == nil)
        for size in [#"["40",100]"#, "[40.5,100]", "[-1,100]", #""40x100""#] {
            refusal("ConsoleSize") { _ = try start(size) }
        }
        refusal("username") {
            _ = try ImageCredentials(dockerBody: BodyReader(parsing: Array(#"{"username":5}"#.utf8)))
        }
    }
}
