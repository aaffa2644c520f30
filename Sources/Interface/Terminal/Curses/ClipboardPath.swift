/// A program between ours and the user's terminal, which shows what its windows print and passes on nothing else.
package enum Multiplexer: Hashable, Sendable {
    case tmux, screen
}

/// How a text comes to the clipboard of the user's terminal: by OSC 52, wrapped for what stands between.
struct ClipboardPath {
    /// What the environment names, which ssh does not carry along: neither where the session is on another machine.
    private let isInTmux: Bool
    private let isInScreen: Bool
    private let term: String

    init(environment: [String: String]) {
        isInTmux = environment["TMUX"] ?? "" != ""
        isInScreen = environment["STY"] ?? "" != ""
        term = environment["TERM"] ?? ""
    }

    /// Only the innermost itself can say what it is: tmux goes by `screen`, too, and where one runs within the other both
    /// are named.
    var mustAsk: Bool { term.hasPrefix("screen") && isInTmux == isInScreen }

    /// The secondary device attributes (`InputDecoder.multiplexer`).
    static let question = "\u{1B}[>c"

    /// What is written to have a text copied.
    ///
    /// - Parameter answer: the innermost multiplexer, as it has said itself.
    func sequences(for text: String, answer: Multiplexer?) -> String {
        let plain = "\u{1B}]52;c;\(Base64.encode(Array(text.utf8)))\u{07}"
        switch answer ?? known {
        case .screen: return Self.inScreen(plain).joined()
        case .tmux:
            // By itself in case tmux is set up to take it, and past tmux, which it may have been told to allow: the
            // second time the clipboard gets the same.
            let beyond = isInScreen ? Self.inScreen(plain) : []
            return plain + ([plain] + beyond).map(Self.pastTmux).joined()
        case nil where mustAsk:
            return Self.inScreen(plain).joined() + (plain.utf8.count <= Self.screenLimit ? plain : "")
        case nil: return plain
        }
    }

    private var known: Multiplexer? {
        if mustAsk { return nil }
        if isInScreen, !isInTmux { return .screen }
        return isInTmux || term.hasPrefix("tmux") ? .tmux : nil
    }

    /// GNU screen keeps 768 bytes of a string and prints the rest of it as text.
    private static let screenLimit = 512

    /// Device control strings, whose contents screen writes to its terminal as they are: a long sequence in pieces, which
    /// meet again there.
    private static func inScreen(_ sequence: String) -> [String] {
        let bytes = Array(sequence.utf8)
        return stride(from: 0, to: bytes.count, by: screenLimit).map { start in
            let piece = bytes[start..<min(start + screenLimit, bytes.count)]
            return "\u{1B}P\(String(decoding: piece, as: UTF8.self))\u{1B}\\"
        }
    }

    /// tmux's own form of the same, with each escape doubled.
    private static func pastTmux(_ sequence: String) -> String {
        "\u{1B}Ptmux;\(sequence.replacing("\u{1B}", with: "\u{1B}\u{1B}"))\u{1B}\\"
    }
}
