import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// One MUST of the OCI runtime specification 1.2, with what is done to see whether a runtime keeps it.
struct ContractRule: Sendable, CustomTestStringConvertible {
    /// The document and its section: `runtime.md, create`.
    let clause: String
    /// The rule, in words of ours.
    let text: String
    let holds: @Sendable (TestContainer) throws -> Bool

    init(_ clause: String, _ text: String, _ holds: @escaping @Sendable (TestContainer) throws -> Bool) {
        self.clause = clause
        self.text = text
        self.holds = holds
    }

    var name: String { "\(clause): \(text)" }
    var testDescription: String { name }

    static let all = lifecycle + configuration + linux
}

/// What rules are tried with.
extension TestContainer {
    func use(_ script: String) { spec.process?.args = ["sh", "-c", script] }

    /// What the container's program prints, where it is as a whole successful.
    func output(of script: String) throws -> String {
        use(script)
        let result = try run()
        return result.code == 0 ? result.output : "code \(result.code): \(result.errors)"
    }

    /// Whether `create` is refused and nothing is left.
    func isRefused() throws -> Bool {
        let result = try create()
        return try result.code != 0 && !result.errors.isEmpty && leftovers().isEmpty
    }

    /// A hook that adds a line to a file.
    func hook(_ line: String, _ file: String = "hooks", failing: Bool = false) -> RuntimeHook {
        // It reads what it is given: crun does not take a hook well that ends before.
        let script = "cat > /dev/null; echo \(line) >> \(folder)/\(file)\(failing ? "; exit 3" : "")"
        return RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])
    }

    func lines(_ file: String = "hooks") -> [String] {
        // No file: nothing was written.
        let bytes = (try? FileContents.read("\(folder)/\(file)")) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func endAndDelete() throws -> Bool {
        _ = try command("kill", id, "KILL")
        try waitForEnd()
        // Whoever reaps what ended may take a moment, for which crun calls it running.
        for _ in 0..<100 {
            if try command("delete", id).code == 0 { return true }
            poll(nil, 0, 20)
        }
        return false
    }

    /// Writes the configuration with members that the typed one cannot say.
    func createRaw(_ change: (inout JSONObject) -> Void) throws -> RuntimeUnderTest.Result {
        var object = spec.json.object ?? JSONObject()
        change(&object)
        try FileContents.replace(
            "\(bundle)/config.json", with: JSONValue.object(object).compactBytes, mode: 0o644, durable: false)
        return try command("create", id)
    }

    var reached: Bool { access("\(rootfs)/tmp/reached", F_OK) == 0 }
}
