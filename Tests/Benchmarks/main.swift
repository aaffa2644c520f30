import Foundation

// Side-by-side measurements of a release build: swift run -c release gantry-bench [CASE ...] [--rounds N]
// Cases take their contestants in turn inside each round, so that a drift of the machine's speed meets all alike.

var names = Array(CommandLine.arguments.dropFirst())
// Started by the cases that measure beside it.
if names.count == 3, names[0] == FloorServer.command, let answer = FileManager.default.contents(atPath: names[2]) {
    try FloorServer.run(names[1], answer: Array(answer))
}
if names.count == 2, names[0] == FloorStreams.command { try FloorStreams.run(names[1]) }
var rounds = 20
if let index = names.firstIndex(of: "--rounds"), index + 1 < names.count, let number = Int(names[index + 1]) {
    rounds = number
    names.removeSubrange(index...(index + 1))
}
let cases: [(name: String, body: (Int) throws -> Void)] =
    [
        ("run", benchmarkRun), ("shims", benchmarkShims), ("log", benchmarkLog), ("interface", benchmarkInterface),
        ("runtime", benchmarkRuntime), ("network", benchmarkNetwork), ("images", benchmarkImages),
        ("engine", benchmarkEngine), ("readback", benchmarkReadBack), ("cycles", benchmarkCycles),
        ("soak", benchmarkSoak), ("streams", benchmarkStreams), ("starts", benchmarkStarts),
        ("daemon", benchmarkDaemon),
    ] + daemonParts.map { part in (part.name, { try benchmarkDaemonPart(part.body, rounds: $0) }) }
if let unknown = names.first(where: { name in !cases.contains { $0.name == name } }) {
    print("unknown case `\(unknown)`; there are: \(cases.map(\.name).joined(separator: " "))")
    exit(2)
}
/// Only by name: long ones about what holds rather than about time, and parts of others.
let namedCases = ["cycles", "soak", "starts"] + daemonParts.map(\.name)
var failed = false
for item in cases where names.isEmpty && !namedCases.contains(item.name) || names.contains(item.name) {
    do { try item.body(rounds) } catch {
        print("\n\(item.name): \(error)")
        failed = true
    }
}
exit(failed ? 1 : 0)
