import CLinux
import Glibc
import Linux
import Netlink
import OCI
import Testing

@testable import Runtime

/// Devices of the host that become a container's, in a network namespace that stands for the host's.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct NetworkDeviceTests {
    /// The namespace that the runtime runs in, with one end of a veth pair, `gtdev0`; the other is in a second.
    private final class Stage {
        let host: Descriptor
        private let beyond: Descriptor
        private let bridge: Int32
        var netlink: NetlinkSocket
        let runtime: RuntimeUnderTest

        init() throws {
            let (host, beyond) = (try NetworkNamespace.make(), try NetworkNamespace.make())
            (self.host, self.beyond) = (host, beyond)
            netlink = try NetlinkSocket(in: host)
            var other = try NetlinkSocket(in: beyond)
            let mac = try #require(MACAddress("02:42:11:22:33:44"))
            try other.createBridge("gtbridge", address: mac)
            bridge = try other.link("gtbridge").index
            var runtime = RuntimeUnderTest.ours
            runtime.launcher = ["/usr/bin/nsenter", "--net=/proc/\(getpid())/fd/\(host.rawValue)"]
            self.runtime = runtime
            try makeDevice()
        }

        func makeDevice() throws {
            var other = try NetlinkSocket(in: beyond)
            try other.createVeth("gtfar0", port: bridge, peer: EndpointLink(name: "gtdev0"), in: host)
            let index = try netlink.link("gtdev0").index
            for (text, length) in [("10.9.8.7", 24), ("10.9.8.9", 32), ("fd00:9::7", 64)] {
                try netlink.addAddress(try #require(IPAddress(text)), prefixLength: length, to: index)
            }
            try netlink.setUp(index)
        }

        deinit {
            host.close()
            beyond.close()
        }

        var addresses: [String] {
            get throws {
                let link = try netlink.link("gtdev0")
                return try netlink.addresses(of: link.index).map { "\($0.address)/\($0.prefixLength)" }.sorted()
            }
        }
    }

    @Test("A device gets its name inside, keeps its permanent addresses and is up")
    func moved() throws {
        let stage = try Stage()
        let container = try TestContainer(stage.runtime, ["ip", "addr", "show", "inside0"])
        container.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(name: "inside0")]
        let result = try container.run()
        #expect(result.code == 0, "\(result.errors)")
        for words in ["inside0", ",UP", "10.9.8.7/24", "10.9.8.9/32", "fd00:9::7/64"] {
            #expect(result.output.contains(words), "\(result.output)")
        }
        // The end of the namespace ends a virtual device.
        #expect(throws: NetlinkError.self) { try stage.netlink.link("gtdev0") }
        #expect(try container.leftovers() == [])
    }

    @Test(
        "A restored container gets the device again, and without it there is none",
        .enabled(if: CheckpointTests.works, "needs a CRIU that works"), .timeLimit(.minutes(4)))
    func restored() throws {
        let stage = try Stage()
        let container = try TestContainer(stage.runtime, ["sh", "-c", CheckpointTests.counting])
        container.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(name: "inside0")]
        try container.createAndStart()
        let options = ["--image-path", "\(container.folder)/images", "--work-path", container.folder, container.id]
        let saved = try stage.runtime.run(["checkpoint"] + options, root: container.root, in: container.bundle)
        try #require(saved.code == 0, "\(saved.errors)")
        // The device has gone with its namespace.
        let restore = ["restore", "--detach"] + options
        let missing = try stage.runtime.run(restore, root: container.root, in: container.bundle)
        #expect(missing.code == 1 && missing.errors.contains("linux.netDevices.gtdev0: "), "\(missing.errors)")
        #expect(try container.leftovers() == [])
        try stage.makeDevice()
        let restored = try stage.runtime.run(restore, root: container.root, in: container.bundle)
        try #require(restored.code == 0, "\(restored.errors)")
        let result = try container.exec("ip", "addr", "show", "inside0")
        for words in ["inside0", ",UP", "10.9.8.7/24", "10.9.8.9/32", "fd00:9::7/64"] {
            #expect(result.output.contains(words), "\(result.output)\(result.errors)")
        }
        #expect(throws: NetlinkError.self) { try stage.netlink.link("gtdev0") }
    }

    @Test("Without a name a device keeps its own; with %d the kernel finds a number", arguments: [nil, "net%d"])
    func names(_ name: String?) throws {
        let stage = try Stage()
        let container = try TestContainer(stage.runtime, ["ls", "/sys/class/net"])
        container.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(name: name)]
        let result = try container.run()
        let found = result.output.split(whereSeparator: \.isWhitespace)
        #expect(found.contains(name == nil ? "gtdev0" : "net0"), "\(result.output)\(result.errors)")
    }

    @Test("A create that fails later gives the device back as it was")
    func givenBack() throws {
        let stage = try Stage()
        let before = try stage.addresses
        let container = try TestContainer(stage.runtime, ["/nowhere"])
        container.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(name: "inside0")]
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("no such file"), "\(result.errors)")
        #expect(try stage.netlink.link("gtdev0").isUp)
        #expect(try stage.addresses.filter { !$0.hasPrefix("fe80") } == before.filter { !$0.hasPrefix("fe80") })
        #expect(try container.leftovers() == [])
    }

    @Test("A device that is not there, or whose name is taken inside, is an error and moves nothing")
    func refused() throws {
        let stage = try Stage()
        let missing = try TestContainer(stage.runtime)
        missing.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(), "gtnone": LinuxNetDevice()]
        let result = try missing.create()
        #expect(result.code == 1 && result.errors.contains("linux.netDevices.gtnone: "), "\(result.errors)")
        #expect(try stage.netlink.link("gtdev0").isUp)

        let taken = try TestContainer(stage.runtime)
        taken.spec.linux.netDevices = ["gtdev0": LinuxNetDevice(name: "lo")]
        let second = try taken.create()
        #expect(
            second.errors.contains("linux.netDevices.gtdev0: ") && second.errors.contains("exists"), "\(second.errors)")
        #expect(try stage.netlink.link("gtdev0").isUp)

        let own = try TestContainer(stage.runtime)
        own.spec.linux.namespaces.removeAll { $0.kind == .network }
        own.spec.linux.namespaces.append(LinuxNamespace(.network, path: "/proc/self/ns/net"))
        own.spec.linux.netDevices = ["gtdev0": LinuxNetDevice()]
        #expect(try own.create().errors.contains("own network namespace"))
        #expect(try stage.netlink.link("gtdev0").isUp)
        for container in [missing, taken, own] { #expect(try container.leftovers() == []) }
    }

    @Test(
        "Names that the kernel would not take, or could not tell apart, are refused",
        arguments: [
            ("", "x"), ("a/b", "x"), ("a b", "x"), ("..", "x"), ("0123456789abcdef", "x"), ("eth%d", "x"), ("e", "a:b"),
            ("e", "%s"), ("e", "%d%d"), ("e", "0123456789abcdef"), ("e", "f"),
        ])
    func invalid(_ name: String, _ inside: String) {
        let error = #expect(throws: RuntimeError.self) {
            try ContainerPlanTests.plan {
                $0.linux.netDevices = [name: LinuxNetDevice(name: inside), "f": LinuxNetDevice()]
            }
        }
        #expect(error?.message.hasPrefix("linux.netDevices.") == true, "\(String(describing: error))")
    }

    @Test("Without a network namespace, or without the host's rights, there is nothing to move")
    func nowhere() throws {
        let error = #expect(throws: RuntimeError.self) {
            try ContainerPlanTests.plan { spec in
                spec.linux.namespaces.removeAll { $0.kind == .network }
                spec.linux.netDevices = ["e": LinuxNetDevice()]
            }
        }
        #expect(error?.message.contains("without a NET namespace") == true)
        var linux = RuntimeLinux()
        linux.netDevices = ["e": LinuxNetDevice()]
        let namespaces = try NamespacePlan([LinuxNamespace(.network)])
        let second = #expect(throws: RuntimeError.self) {
            try NetworkDevicePlan.all(linux, namespaces, isRootless: true)
        }
        #expect(second?.message.contains("rootless") == true)
    }
}
