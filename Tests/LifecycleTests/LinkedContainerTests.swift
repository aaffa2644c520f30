import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct LinkedContainerTests {
    private func linked(_ ports: [ContainerPort], environment: [String] = []) -> LinkedContainer {
        LinkedContainer(
            alias: "my-db", name: "db", hostname: "host", address: "10.1.2.3", ports: ports, environment: environment)
    }

    @Test("A link's variables are docker's: the port of the lowest number first, then each, the name, the environment")
    func variables() {
        let one = linked(
            [ContainerPort(80), ContainerPort(53, .udp)], environment: ["FOO=a=b", "HOME=/", "PATH=/bin", "BARE"])
        #expect(
            one.variables(owner: "web") == [
                "MY_DB_PORT=udp://10.1.2.3:53", "MY_DB_PORT_80_TCP=tcp://10.1.2.3:80",
                "MY_DB_PORT_80_TCP_ADDR=10.1.2.3", "MY_DB_PORT_80_TCP_PORT=80", "MY_DB_PORT_80_TCP_PROTO=tcp",
                "MY_DB_PORT_53_UDP=udp://10.1.2.3:53", "MY_DB_PORT_53_UDP_ADDR=10.1.2.3",
                "MY_DB_PORT_53_UDP_PORT=53", "MY_DB_PORT_53_UDP_PROTO=udp", "MY_DB_NAME=/web/my-db",
                "MY_DB_ENV_FOO=a=b",
            ])
        #expect(linked([]).variables(owner: "web") == ["MY_DB_NAME=/web/my-db"])
    }

    @Test("Three ports and more that follow on each other are told of as a range, too; two are not")
    func ranges() {
        let range = linked((90...93).map { ContainerPort($0) }).variables(owner: "web")
        #expect(
            range[1...7] == [
                "MY_DB_PORT_90_TCP_START=tcp://10.1.2.3:90", "MY_DB_PORT_90_TCP_ADDR=10.1.2.3",
                "MY_DB_PORT_90_TCP_PORT_START=90", "MY_DB_PORT_90_TCP_PROTO=tcp",
                "MY_DB_PORT_90_TCP_END=tcp://10.1.2.3:93", "MY_DB_PORT_90_TCP_PORT_END=93",
                "MY_DB_PORT_90_TCP=tcp://10.1.2.3:90",
            ])
        #expect(
            !linked([ContainerPort(90), ContainerPort(91)]).variables(owner: "web").contains { $0.contains("START") })
    }

    @Test("/etc/hosts tells the alias, the hostname, and the name where that is another")
    func names() {
        #expect(linked([]).hostNames == ["my-db", "host", "db"])
        var same = linked([])
        same.alias = "db"
        #expect(same.hostNames == ["db", "host"])
    }
}
