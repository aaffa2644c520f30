import Linux
import Networking
import Testing

@Suite struct HostsFileTests {
    @Test(
        "A container's own line has its whole name, and what stands before the first dot",
        arguments: [
            ("web", nil, "web"), ("web", "example.com", "web.example.com web"),
            ("web.example.com", nil, "web.example.com web"), ("web", "", "web"),
        ] as [(String, String?, String)])
    func own(hostname: String, domainname: String?, line: String) throws {
        let address = try #require(IPAddress("10.1.2.3"))
        let names = ContainerNames(hostname: hostname, domainname: domainname)
        #expect(HostsFile.text(names, addresses: [address], gateway: nil).hasSuffix("\n10.1.2.3\t\(line)\n"))
    }

    @Test("Links stand behind what was added, before the container's own line; one that moves keeps its place")
    func links() throws {
        let address = try #require(IPAddress("10.1.2.3"))
        var names = ContainerNames(hostname: "web", extraHosts: ["x:1.2.3.4"])
        names.links = [HostsLink(address: "10.1.2.4", names: ["db", "host", "database"])]
        let text = HostsFile.text(names, addresses: [address], gateway: nil)
        #expect(text.hasSuffix("\n1.2.3.4\tx\n10.1.2.4\tdb host database\n10.1.2.3\tweb\n"))
        let own = text + "# 10.1.2.4 db\n10.9.9.9  host db\n"
        let moved = HostsFile.text(own, moving: "db", to: "10.1.2.9")
        #expect(moved == own.replacing("10.1.2.4\tdb host", with: "10.1.2.9\tdb host"))
    }
}
