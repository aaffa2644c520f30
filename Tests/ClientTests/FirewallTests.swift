import Foundation
import NetworkRemains
import Testing

/// Other firewalls of the machine, running, with the rules that they come with. What they drop is theirs to drop; it is
/// said, and what is said helps.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(4)))
struct FirewallTests {
    @Test(
        "Beside a firewall everything works that it lets through; what it drops is named, and the remedy told works",
        arguments: FirewallStage.Kind.allCases.filter { Tool.isThere($0.program) })
    func beside(kind: FirewallStage.Kind) async throws {
        let root = "/tmp/gantry-client-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            NetworkRemains.remove(root: root)
            try? FileManager.default.removeItem(atPath: root)  // LeftoverTests tells of what stays.
        }
        let report = try await FirewallStage(kind: kind).play(root: root)
        #expect(report.answers["before loopback"] == "inside", "\(report.log)")
        #expect(report.answers["before out"] == "")
        // firewalld lets through what is sent to a published port.
        #expect(report.answers["before outside"] == (kind == .firewalld ? "inside" : ""))
        let told = try #require(report.warnings["before"], "\(report.log)")
        for network in ["network bridge (", "network front ("] {
            #expect(told.filter { $0.contains(network) }.count == 1, "\(told)")
        }
        #expect(report.runWarnings.contains { $0.contains("network front (") }, "\(report.log)")
        for moment in ["after", "reloaded"] {
            #expect(report.warnings[moment] == nil)
            for (attempt, answer) in [
                ("loopback", "inside"), ("outside", "inside"), ("out", "elsewhere"), ("neighbour", "inside"),
            ] {
                #expect(report.answers["\(moment) \(attempt)"] == answer, "\(moment) \(attempt): \(report.log)")
            }
        }
    }
}
