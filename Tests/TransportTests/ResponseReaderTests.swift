import Testing

@testable import Transport

@Suite struct ResponseReaderTests {
    /// All that comes of it, its pieces of body put together; in pieces of that many bytes.
    private func read(_ text: String, to method: String = "GET", by length: Int, ends: Bool = true) throws -> (
        head: ResponseReader.Head, body: String, isClean: Bool
    ) {
        var reader = ResponseReader(answerTo: method)
        var bytes = Array(text.utf8)[...]
        var (head, body): (ResponseReader.Head?, [UInt8]) = (nil, [])
        while true {
            switch try reader.next() {
            case .head(let found):
                #expect(head == nil)
                head = found
            case .bytes(let piece):
                #expect(!piece.isEmpty)
                body += piece
            case .end: return (try #require(head), String(decoding: body, as: UTF8.self), reader.isClean)
            case nil where bytes.isEmpty:
                try #require(ends)
                try reader.finish()
            case nil:
                reader.append(Array(bytes.prefix(length)))
                bytes = bytes.dropFirst(length)
            }
        }
    }

    static let whole: [(text: String, method: String, status: Int, body: String, keepsAlive: Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", 200, "hello", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", 200, "", true),
        ("HTTP/1.1 200\r\ncontent-length:\t5 \r\nContent-Length: 5\r\n\r\nhello", "GET", 200, "hello", true),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "GET", 200, "hi", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", "POST", 204, "", true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", 304, "", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", 200, "", true),
        ("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", "GET", 404, "no", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nno", "GET", 200, "no", false),
        ("HTTP/1.1 200 OK\r\n\r\nto the end", "GET", 200, "to the end", false),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, you all!\r\n0\r\n\r\n",
            "GET", 200,
            "hello, you all!", true
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n", "GET", 200, "x",
            true
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nid", "POST", 201, "id", true),
    ]

    @Test("An answer is the same in however many pieces it comes", arguments: whole.indices)
    func pieces(_ index: Int) throws {
        let wanted = Self.whole[index]
        for length in [1, 2, 3, 7, 4096] {
            let found = try read(wanted.text, to: wanted.method, by: length)
            #expect(found.head.status == wanted.status)
            #expect(found.body == wanted.body)
            #expect(found.head.keepsAlive == wanted.keepsAlive)
            #expect(found.isClean)
        }
    }

    @Test("What comes behind an answer spoils its connection, and nothing else")
    func more() throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n"
        let found = try read(text, by: 4096)
        #expect(found.body == "hi")
        #expect(!found.isClean)
    }

    @Test(
        "An answer that is none, or could be understood in two ways, is refused",
        arguments: [
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
            "HTTP/1.1 -12 OK\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\nname\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: ResponseReader.headLimitBytes))\r\n\r\n",
        ])
    func refused(_ text: String) {
        for length in [1, 4096] {
            let error = #expect(throws: TransportError.self) { try read(text, by: length) }
            guard case .malformed? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test(
        "An answer that is cut off is no answer",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
        ])
    func cut(_ text: String) {
        #expect(throws: TransportError.closed) { try read(text, by: 5) }
    }
}
