import EngineAPI

/// A pull's or push's progress as docker shows it: on a terminal a line for each layer that changes in place; elsewhere
/// a line for each state that a layer comes to.
struct TransferDisplay {
    enum Output {
        case output, error

        func write(_ text: String) {
            switch self {
            case .output: Console.out(text)
            case .error: Console.error(text)
            }
        }
    }

    private let output: Output
    private let isQuiet: Bool
    private let isTerminal: Bool
    /// The layers in the order of their lines, with what stands there.
    private var rows: [(digest: String, text: String)] = []

    init(onto output: Output, isQuiet: Bool, isTerminal: Bool = Console.outputIsTerminal) {
        self.output = output
        self.isQuiet = isQuiet
        self.isTerminal = isTerminal
    }

    mutating func show(_ progress: ImageTransferProgress) {
        let text = text(for: progress)
        if !isQuiet, !text.isEmpty { output.write(text) }
    }

    /// What to write; empty where there is nothing new.
    mutating func text(for progress: ImageTransferProgress) -> String {
        switch progress {
        case .pulling(let repository, let tag): return "\(tag): Pulling from \(repository)\n"
        case .pushing(let repository, _): return "The push refers to repository [\(repository)]\n"
        case .layer(let digest, let step): return line(digest, step)
        case .pulled(let digest, let name, _, let isNew):
            return (digest.isEmpty ? "" : "Digest: \(digest)\n")
                + (isNew ? "Status: Downloaded newer image for \(name)\n" : "Status: Image is up to date for \(name)\n")
        case .pushed(let tag, let digest, let size): return "\(tag): digest: \(digest) size: \(size)\n"
        }
    }

    private mutating func line(_ digest: String, _ step: ImageLayerStep) -> String {
        let (words, count) = Self.words(step)
        let text = "\(Self.short(digest)): \(words)"
        let known = rows.firstIndex { $0.digest == digest }
        guard isTerminal else {
            if let known, rows[known].text == text { return "" }
            if let known { rows[known].text = text } else { rows.append((digest, text)) }
            // Counts change all the time: they are for eyes.
            return count == nil ? text + "\n" : ""
        }
        let whole = text + (count.map { " \($0)" } ?? "")
        guard let known else {
            rows.append((digest, whole))
            return whole + "\n"
        }
        guard rows[known].text != whole else { return "" }
        rows[known].text = whole
        let up = rows.count - known
        return "\u{1B}[\(up)A\r\u{1B}[K\(whole)\u{1B}[\(up)B\r"
    }

    private static func words(_ step: ImageLayerStep) -> (String, count: String?) {
        switch step {
        case .waiting: ("Pulling fs layer", nil)
        case .downloading(let done, let total): ("Downloading", bar(done, total))
        case .verifying: ("Verifying Checksum", nil)
        case .downloaded: ("Download complete", nil)
        case .unpacking(let done, let total): ("Extracting", bar(done, total))
        case .pulled: ("Pull complete", nil)
        case .existing: ("Already exists", nil)
        case .preparing: ("Preparing", nil)
        case .pushing(let done, let total): ("Pushing", bar(done, total))
        case .pushed: ("Pushed", nil)
        case .pushExisting: ("Layer already exists", nil)
        case .mounted(let repository): ("Mounted from \(repository)", nil)
        }
    }

    private static func bar(_ done: Int64, _ total: Int64) -> String {
        let width: Int64 = 50
        let filled = total > 0 ? Int(max(0, min(width, done.multipliedSaturated(by: width) / total))) : 0
        let empty = Int(width) - filled
        let bar = String(repeating: "=", count: max(0, filled - 1)) + (filled > 0 ? ">" : "")
        return "[\(bar)\(String(repeating: " ", count: empty))]  \(Units.decimal(done))/\(Units.decimal(total))"
    }

    private static func short(_ digest: String) -> String {
        String((digest.split(separator: ":").last ?? "").prefix(12))
    }
}
