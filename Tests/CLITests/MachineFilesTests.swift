import EngineAPI
import Glibc
import Linux
import Testing

@testable import CLI

@Suite struct MachineFilesTests {
    @Test("The names of a directory that begin so are told, and which lead to directories; errors say where and why")
    func list() async throws {
        var template = Array("/tmp/gantry-names-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        let folder = String(cString: try #require(made))
        defer { try? Directory.removeTree(folder) }
        try Directory.create("\(folder)/apple")
        for name in ["app.tar", "zoo"] { try FileContents.replace("\(folder)/\(name)", with: [], durable: false) }
        #expect(symlink("apple", "\(folder)/applink") == 0 && symlink("nowhere", "\(folder)/apps") == 0)
        let found = try await MachineFiles.list("\(folder)/", beginning: "ap").sorted { $0.name < $1.name }
        #expect(found.map(\.name) == ["app.tar", "apple", "applink", "apps"])
        #expect(found.map(\.isDirectory) == [false, true, true, false])
        let error = await #expect(throws: EngineError.self) {
            try await MachineFiles.list("\(folder)/zoo/", beginning: "")
        }
        #expect(error?.kind == .invalid && error?.message.contains("\(folder)/zoo") == true, "\(error?.message ?? "")")
    }
}
