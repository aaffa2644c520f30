import Glibc

/// Writes control sequences to a terminal whole.
///
/// A terminal whose descriptor does not block (another program of the session has made it so) takes a long sequence in
/// pieces, and one that is held (ctrl-s) takes none. It is waited for, but not for ever; what it then has of a sequence is
/// taken back by the next byte that it gets, so that it does not read the next picture as the rest of a text to be copied.
@MainActor
final class SequenceOutput {
    /// CAN of ECMA-48: a sequence or string that was begun is none.
    private static let cancel: [UInt8] = [0x18]

    private let output: Int32
    private let patience: Duration
    private var isCut = false

    init(_ output: Int32, patience: Duration = .seconds(1)) {
        self.output = output
        self.patience = patience
    }

    /// Ends what was left in the middle, before others write to the terminal.
    func settle() {
        if isCut { write("") }
    }

    /// Whether the terminal has taken all of it.
    @discardableResult
    func write(_ text: String) -> Bool {
        let bytes = (isCut ? Self.cancel : []) + Array(text.utf8)
        let written = writeSome(bytes)
        if written > 0 { isCut = written < bytes.count }
        return written == bytes.count
    }

    /// How many bytes the terminal took until it took none for a while. Where it went away there is nobody to tell, and
    /// reading finds it out.
    private func writeSome(_ bytes: [UInt8]) -> Int {
        var written = 0
        var end = ContinuousClock.now + patience
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
                end = .now + patience
            } else if count == 0 || (errno != EINTR && errno != EAGAIN) || .now >= end {
                return written
            } else if errno == EAGAIN {
                var entry = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, 20)
            }
        }
        return written
    }
}
