import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct ExecTableTests {
    @Test("Those that run, or are yet to be started, are known without a look at the others")
    func unended() {
        var table = ExecTable()
        for id in ["a", "b", "c"] { table[id] = ExecRecord(id: id, spec: ExecSpec(command: ["true"])) }
        table["a"]?.phase = .running(pid: 1)
        table["b"]?.phase = .exited(code: 0, pid: 2)
        table["absent"]?.phase = .running(pid: 3)
        #expect(table.unendedIDs == ["a", "c"])
        table["a"]?.earlyExit = 1
        #expect(table.unendedIDs == ["a", "c"] && table.all.count == 3)
        table["a"]?.phase = .exited(code: 1, pid: 1)
        table["c"] = nil
        #expect(table.unendedIDs == [] && Set(table.all.map(\.id)) == ["a", "b"])
        let spec = ExecSpec(command: ["true"])
        table["d"] = ExecRecord(id: "d", spec: spec, .started, pid: nil)
        table["e"] = ExecRecord(id: "e", spec: spec, .started, pid: 4)
        #expect(table.unendedIDs == ["e"])
    }
}
