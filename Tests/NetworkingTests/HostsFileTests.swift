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
        let moved = HostsFile.text(Array(own.utf8), moving: "db", to: "10.1.2.9")
        #expect(moved == Array(own.replacing("10.1.2.4\tdb host", with: "10.1.2.9\tdb host").utf8))
        let gone = HostsFile.text(Array(own.utf8), moving: "db", to: nil)
        #expect(gone == Array(own.replacing("10.1.2.4\tdb host database\n", with: "").utf8))
    }

    @Test(
        "Lines of a container's own come and go; all else stays byte for byte, also where the last line has no end",
        arguments: [
            ("127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost\n10.1.2.4\tweb\n"), ("", "10.1.2.4\tweb\n"),
            ("10.1.2.3\tweb\n1.2.3.4 mine", "1.2.3.4 mine\n10.1.2.4\tweb\n"),
            ("10.1.2.4\tweb\n10.1.2.3\tweb\n\n# \u{e9}\n", "10.1.2.4\tweb\n\n# \u{e9}\n"),
            // Not its own: of somebody's hand, of another name.
            ("10.1.2.3 web\n10.1.2.3\tweb2\n", "10.1.2.3 web\n10.1.2.3\tweb2\n10.1.2.4\tweb\n"),
        ])
    func ownLines(before: String, after: String) throws {
        let addresses = try ["10.1.2.3", "10.1.2.4"].map { try #require(IPAddress($0)) }
        let names = ContainerNames(hostname: "web")
        func changed(_ text: [UInt8], without gone: [IPAddress]) -> [UInt8] {
            HostsFile.text(text, of: names, with: [addresses[1]], without: gone)
        }
        #expect(changed(Array(before.utf8), without: [addresses[0]]) == Array(after.utf8))
        #expect(changed(Array(after.utf8), without: addresses) == Array(after.utf8), "done again it changes nothing")
        // What is no text of UTF-8 is somebody's, too.
        let odd = Array("# ".utf8) + [0xE9, 0x0A]
        #expect(changed(odd, without: []) == odd + Array("10.1.2.4\tweb\n".utf8))
    }
}
