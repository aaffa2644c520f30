import Testing

@testable import Linux

@Suite struct UserNamespaceTests {
    @Test(
        "The last group is the end of what follows from 0 without a gap",
        arguments: [
            ("0 0 4294967295\n", 4_294_967_294), ("         0       1000          1\n", 0),
            ("0 1000 1\n1 100000 65536\n", 65536), ("1 100000 65536\n0 1000 1\n", 65536),
            ("0 1000 1\n5 100000 65536\n", 0), ("", 0),
        ] as [(String, UInt32)])
    func lastGroup(map: String, last: UInt32) {
        #expect(UserNamespace.lastID(map: map) == last)
    }

    @Test("The delegated cgroup is the highest without a gap that has no processes itself")
    func delegation() {
        let own = "/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope"
        let given: Set = [
            own, "/user.slice/user-1000.slice/user@1000.service/app.slice",
            "/user.slice/user-1000.slice/user@1000.service",
        ]
        let find = { (given: Set<String>, busy: Set<String>) in
            CgroupDelegation.highest(below: own, given.contains) { !busy.contains($0) }
        }
        #expect(find(given, [own]) == "/user.slice/user-1000.slice/user@1000.service")
        #expect(find([own], [own]) == nil)
        #expect(find([], []) == nil)
        #expect(find(given.subtracting([own]), []) == nil)
        #expect(CgroupDelegation.highest(below: "/", { _ in true }, { _ in true }) == nil)
        #expect(CgroupDelegation.highest(below: "/../x", { _ in true }, { _ in true }) == nil)
    }
}
