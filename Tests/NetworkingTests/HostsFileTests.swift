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
}
