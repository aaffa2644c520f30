/// Which lines of a log are shown: those with each of some words, with none of those that a `!` stands before, or those
/// that a regular expression between slashes finds. Capitals count only where the filter has one.
struct LogFilter {
    private let isExact: Bool
    private var wanted: [String] = []
    private var unwanted: [String] = []
    private var expression: Regex<AnyRegexOutput>?

    /// - Throws: `FormError` where what stands between the slashes is no regular expression.
    init(_ text: String) throws(FormError) {
        isExact = text != text.lowercased()
        if text.count > 1, text.hasPrefix("/"), text.hasSuffix("/") {
            do {
                let expression = try Regex(String(text.dropFirst().dropLast()))
                self.expression = isExact ? expression : expression.ignoresCase()
            } catch { throw FormError("`\(text)` is no regular expression: \(error)") }
            return
        }
        for word in text.split(separator: " ") {
            if word.hasPrefix("!"), word.count > 1 {
                unwanted.append(String(word.dropFirst()))
            } else {
                wanted.append(String(word))
            }
        }
    }

    func passes(_ line: String) -> Bool {
        // An expression that gives up on a line does not find it.
        if let expression { return (try? expression.firstMatch(in: line)) ?? nil != nil }
        let line = isExact ? line : line.lowercased()
        return wanted.allSatisfy { line.contains($0) } && !unwanted.contains { line.contains($0) }
    }
}
