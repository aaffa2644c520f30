import Foundation
import Testing

/// Run last, on its own: what the other tests should have taken away with them.
///
/// Tests keep their state in `/tmp/gantry-…` and name their cgroups `gantry-…`; an engine that somebody runs on this
/// machine keeps its own elsewhere and is not looked at. What stood there before the tests is told by
/// `GANTRY_STOOD_BEFORE`, a line each, in the form in which a test here would tell it.
@Suite struct LeftoverTests {
    private let stoodBefore = Set(
        (ProcessInfo.processInfo.environment["GANTRY_STOOD_BEFORE"] ?? "").split(separator: "\n"))

    private func new(_ found: [some StringProtocol]) -> [String] {
        found.map { String($0) }.filter { !stoodBefore.contains($0[...]) }
    }

    @Test("No test left a process")
    func processes() throws {
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter {
            Int32($0) != nil
        }
        let left = processes.compactMap { pid -> String? in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return nil
            }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first, program.contains("gantry") else { return nil }
            return words.contains { $0.contains("/tmp/gantry-") }
                ? "\(pid) \(words.joined(separator: " "))" : nil
        }
        #expect(new(left) == [])
    }

    @Test("No test left a mount")
    func mounts() throws {
        let table = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        #expect(new(table.split(separator: "\n").filter { $0.contains("/tmp/gantry-") }) == [])
    }

    @Test("No test left a cgroup")
    func cgroups() {
        var left: [String] = []
        let root = "/sys/fs/cgroup"
        for top in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] {  // No cgroups: nothing is left.
            let below = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(top)")) ?? []  // A file.
            left += ([top] + below.map { "\(top)/\($0)" }).filter {
                $0.split(separator: "/").last?.hasPrefix("gantry-") == true
            }
        }
        #expect(new(left) == [])
    }

    @Test("No test left a network device")
    func links() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")
        // The devices of containers go with their namespaces, which the kernel takes away on the side.
        let left = names.filter { name in
            let alias = (try? String(contentsOfFile: "/sys/class/net/\(name)/ifalias", encoding: .utf8)) ?? ""  // Gone.
            return alias.contains("/tmp/gantry-")
        }
        #expect(new(left) == [])
    }

    @Test("No test left a table of the packet filter")
    func packetFilter() throws {
        guard let nft = ["/usr/sbin/nft", "/sbin/nft"].first(where: FileManager.default.isExecutableFile) else {
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: nft)
        process.arguments = ["list", "tables"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(new(text.split(separator: "\n").filter { $0.contains("gantry_") }) == [])
    }

    @Test("No test left a file")
    func files() throws {
        let temporary = try FileManager.default.contentsOfDirectory(atPath: "/tmp")
        #expect(new(temporary.filter { $0.hasPrefix("gantry-") }) == [])
    }
}
