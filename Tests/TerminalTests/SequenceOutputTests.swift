import Glibc
import Testing

@testable import Terminal

/// Sequences to a terminal that does not take them at once, by a pipe that does not block.
@MainActor
@Suite struct SequenceOutputTests {
    private struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (readEnd, writeEnd) = (ends[0], ends[1])
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        }

        /// All that is in it now.
        func drain() -> [UInt8] {
            var all: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 65536)
            while case let count = read(readEnd, &bytes, bytes.count), count > 0 { all += bytes.prefix(count) }
            return all
        }

        func close() {
            _ = Glibc.close(readEnd)
            _ = Glibc.close(writeEnd)
        }
    }

    @Test("A long sequence is written whole to a terminal that takes it in pieces")
    func slow() async throws {
        let pipe = try Pipe()
        defer { pipe.close() }
        let text = String(repeating: "0123456789", count: 100_000)
        let reader = Task.detached { () -> [UInt8] in
            var all: [UInt8] = []
            while all.count < text.utf8.count {
                var entry = pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 20_000) > 0 else { break }
                all += pipe.drain()
            }
            return all
        }
        #expect(SequenceOutput(pipe.writeEnd, patience: .seconds(20)).write(text))
        #expect(await reader.value == Array(text.utf8))
    }

    @Test("Of a sequence that could not be written whole the terminal is told to forget the beginning")
    func cut() throws {
        let pipe = try Pipe()
        defer { pipe.close() }
        let output = SequenceOutput(pipe.writeEnd, patience: .milliseconds(50))
        #expect(output.write("whole"))
        #expect(!output.write("\u{1B}]52;c;" + String(repeating: "QUJD", count: 100_000) + "\u{07}"))
        #expect(!output.write("\u{1B}[5n"), "it takes nothing yet")
        #expect(pipe.drain().starts(with: Array("whole\u{1B}]52;c;QUJD".utf8)))
        output.settle()
        #expect(pipe.drain() == [0x18])
        output.settle()
        #expect(output.write("\u{1B}[5n") && pipe.drain() == Array("\u{1B}[5n".utf8), "once is enough")
    }

    @Test("A terminal that takes nothing at all has nothing to forget")
    func full() throws {
        let pipe = try Pipe()
        defer { pipe.close() }
        let output = SequenceOutput(pipe.writeEnd, patience: .milliseconds(50))
        let fill = [UInt8](repeating: 0x20, count: 4096)
        while write(pipe.writeEnd, fill, fill.count) > 0 {}
        while write(pipe.writeEnd, fill, 1) > 0 {}
        #expect(!output.write("\u{1B}[5n"))
        _ = pipe.drain()
        #expect(output.write("x") && pipe.drain() == [0x78])
    }
}
