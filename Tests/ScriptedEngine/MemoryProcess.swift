import EngineAPI

/// A process that exists in memory alone: a few programs, enough to drive every stream of the engine's boundary.
///
/// - `echo WORDS`: the words and a line end; code 0.
/// - `both`: `out` to standard output, `err` to standard error; code 0.
/// - `cat`: what comes in goes out; code 0 at the end of input.
/// - `exit N`: code N.
/// - `flood N`: N bytes of `x`, produced as they are read; code 0.
/// - anything else: waits for a signal.
package actor MemoryProcess {
    private let arguments: [String]
    private let isTerminal: Bool
    private(set) var output: [StreamChunk] = []
    package private(set) var exitCode: Int32?
    package private(set) var sizes: [TerminalSize] = []
    package private(set) var inputBytes: [UInt8] = []
    private var changed: [CheckedContinuation<Void, Never>] = []

    package init(_ arguments: [String], isTerminal: Bool) {
        self.arguments = arguments
        self.isTerminal = isTerminal
    }

    package func run() {
        switch arguments.first {
        case "echo": emit(.stdout(line(arguments.dropFirst().joined(separator: " ")))); end(0)
        case "both": emit(.stdout(line("out"))); emit(.stderr(line("err"))); end(0)
        case "exit": end(arguments.dropFirst().first.flatMap { Int32($0) } ?? 0)
        case "flood":
            let count = arguments.dropFirst().first.flatMap { Int($0) } ?? 0
            for _ in 0..<(count / 65536) { emit(.stdout([UInt8](repeating: 120, count: 65536))) }
            end(0)
        default: break
        }
    }

    private func line(_ text: String) -> [UInt8] { Array((text + (isTerminal ? "\r\n" : "\n")).utf8) }

    private func emit(_ chunk: StreamChunk) {
        output.append(chunk)
        wake()
    }

    package func end(_ code: Int32) {
        guard exitCode == nil else { return }
        exitCode = code
        wake()
    }

    package func feed(_ bytes: [UInt8]) {
        inputBytes.append(contentsOf: bytes)
        if arguments.first == "cat" { emit(.stdout(bytes)) }
    }

    package func closeInput() { if arguments.first == "cat" { end(0) } }

    package func resize(_ size: TerminalSize) { sizes.append(size) }

    private func wake() {
        let waiting = changed
        changed = []
        for continuation in waiting { continuation.resume() }
    }

    /// Wakes whoever waits, so that it looks again at its own reasons to go on.
    func nudge() { wake() }

    /// The chunk at a place in the output, once there is one; nil at the end, or when `isClosed` says so.
    func chunk(_ index: Int, unless isClosed: @Sendable () -> Bool) async -> StreamChunk? {
        while !isClosed(), !Task.isCancelled {
            if index < output.count { return output[index] }
            if exitCode != nil { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { changed.append($0) }
            } onCancel: {
                Task { await nudge() }
            }
        }
        return nil
    }

    package func waitForExit() async -> Int32 {
        while true {
            if let exitCode { return exitCode }
            await withCheckedContinuation { changed.append($0) }
        }
    }
}
