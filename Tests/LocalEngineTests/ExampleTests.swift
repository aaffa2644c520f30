import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

@Suite(
    .enabled(
        if: EngineBench.missing == nil,
        "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
struct ExampleTests {
    @Test("The example in the documentation runs a container")
    func runs() async throws {
        let bench = try EngineBench()
        do {
            #expect(try await hello(root: bench.root) == "hello\n")
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("The example in the documentation is the one that runs here")
    func isTheSame() throws {
        let tests = PathName.split(#filePath).parent
        let here = try Self.lines("\(tests)/Example.swift").drop { !$0.hasPrefix("import") }
        let source = PathName.joined(tests, "../../Sources/Engine/LocalEngine/GantryEngine.swift")
        let documented = try Self.lines(source)
            .drop { $0 != "/// ```swift" }.dropFirst().prefix { $0 != "/// ```" }
            .map { String($0.dropFirst(4)) }
        func plain(_ lines: some Sequence<String>) -> [String] {
            lines.filter { !$0.isEmpty }.map { line in
                // The paths of the programs are the reader's to choose.
                line.contains("Path = ") ? "" : line
            }
        }
        #expect(plain(documented) == plain(here))
    }

    private static func lines(_ path: String) throws -> [String] {
        String(decoding: try FileContents.read(path), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
    }
}
