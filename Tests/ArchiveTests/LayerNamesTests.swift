import Glibc
import Testing

@testable import Archive

@Suite struct LayerNamesTests {
    private func path(_ text: String) throws -> EntryPath { try EntryPath(Array(text.utf8)) }

    @Test("A deep directory that comes again and again is kept once, with its last time")
    func repeated() throws {
        var names = LayerNames()
        let deep = try path(String(repeating: "d/", count: 2000))
        for second in 0..<100 { names.setTime(timespec(tv_sec: second, tv_nsec: 0), of: deep) }
        #expect(names.count == 2000)
        var told: [(EntryPath, Int)] = []
        names.forEachTime { told.append(($0, $1.tv_sec)) }
        #expect(told.map(\.0) == [deep] && told.map(\.1) == [99])
    }

    @Test("A name is known by its directory, with all directories on the way; times come in the order of their setting")
    func names() throws {
        var names = LayerNames()
        names.insert(try path("a/b/c"))
        names.insert(try path("a/c"))
        #expect(names.count == 4)
        for known in ["a", "a/b", "a/b/c", "a/c", "."] { #expect(names.contains(try path(known)), "\(known)") }
        for other in ["b", "c", "a/b/b", "a/b/c/d"] { #expect(try !names.contains(path(other)), "\(other)") }
        for (second, name) in ["x", "a/b", ".", "a", "x"].enumerated() {
            names.setTime(timespec(tv_sec: second, tv_nsec: 0), of: try path(name))
        }
        var told: [String] = []
        names.forEachTime { told.append("\($0.display) \($1.tv_sec)") }
        #expect(told == ["a/b 1", ". 2", "a 3", "x 4"])
    }
}
