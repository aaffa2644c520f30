import EngineAPI
import Linux
import Rootless

/// The user of docker's that `userns-remap: default` means: made where it is missing, with subordinate ids after all
/// that are given away, as dockerd makes it.
struct RemapUser {
    static let name = "dockremap"
    /// Of subordinate ids.
    private static let count: UInt32 = 65536
    private static let firstOfAll: UInt32 = 100_000

    /// Where passwd, group, subuid and subgid are.
    let directory: String

    /// Makes what is missing of it; useradd(8), usermod(8). Blocking.
    ///
    /// - Parameters:
    ///   - isThere: the account is.
    ///   - texts: of subuid and subgid.
    func make(isThere: Bool, subuid: String, subgid: String) throws(EngineError) {
        if !isThere {
            try run(
                "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/", "--shell", "/bin/false")
        }
        for (text, option) in [(subuid, "--add-subuids"), (subgid, "--add-subgids")] where !Self.isNamed(in: text) {
            guard let first = Self.firstFree(in: text) else {
                throw failure("no \(Self.count) subordinate ids are left")
            }
            try run("usermod", option, "\(first)-\(first + Self.count - 1)")
        }
    }

    private static func isNamed(in text: String) -> Bool {
        text.split(separator: "\n").contains { $0.hasPrefix("\(name):") }
    }

    /// After the last that somebody has; nil where no id is left.
    static func firstFree(in text: String) -> UInt32? {
        var next = firstOfAll
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, let first = UInt32(fields[1]), let count = UInt32(fields[2]) else { continue }
            let (end, isBeyond) = first.addingReportingOverflow(count)
            if isBeyond { return nil }
            next = max(next, end)
        }
        return next.addingReportingOverflow(count).overflow ? nil : next
    }

    private func run(_ program: String, _ options: String...) throws(EngineError) {
        guard let path = OutsideProgram.find(program) else {
            throw failure("\(program) is not installed (Debian: apt install passwd)")
        }
        let prefix = directory == "/etc" ? [] : ["--prefix", PathName.split(directory).parent]
        let outcome: OutsideProgram.Outcome
        do throws(RootlessFailure) {
            outcome = try OutsideProgram(path: path, arguments: [program] + prefix + options + [Self.name]).run()
        } catch { throw failure(error.description) }
        guard outcome.code == 0 else { throw failure(outcome.complaint) }
    }

    private func failure(_ reason: String) -> EngineError {
        EngineError(.unavailable, "error creating default \"\(Self.name)\" user: \(reason)")
    }
}
