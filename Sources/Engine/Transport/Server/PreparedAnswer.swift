import NIOCore
import NIOHTTP1

/// A whole answer that was made before its request, and is sent as often as it is asked for.
package struct PreparedAnswer: Sendable {
    package let status: Int
    /// As they go over the connection.
    private let head: ByteBuffer
    private let whole: ByteBuffer

    package init(_ status: Int, _ fields: HTTPFields, body: [UInt8]) {
        self.status = status
        var head = ByteBuffer()
        head.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        for field in fields.list where !HTTPFields.same(field.name, "Content-Length") {
            head.writeString("\(field.name): \(field.value)\r\n")
        }
        head.writeString("Content-Length: \(body.count)\r\n\r\n")
        var whole = ByteBuffer()
        whole.reserveCapacity(head.readableBytes + body.count)
        whole.writeImmutableBuffer(head)
        whole.writeBytes(body)
        self.head = head
        self.whole = whole
    }

    /// What it holds in memory.
    package var byteCount: Int { whole.readableBytes }

    func bytes(withoutBody: Bool) -> ByteBuffer { withoutBody ? head : whole }
}

/// Finds prepared answers for the plainest of requests, on their connection's event loop.
///
/// A task for each request, with its way to the handler and back, costs several times what it takes to send some bytes
/// that are there already.
struct ReadyAnswers {
    typealias Find = @Sendable (_ method: String, _ target: String) -> PreparedAnswer?

    let find: Find
    /// Off until it is known who is at the other end, and for who must be looked at again with each request.
    var isOn = false

    /// Nil for all that has a body or asks for anything of its connection: the usual way is for them.
    func answer(to head: HTTPRequestHead) -> PreparedAnswer? {
        guard isOn, head.method == .GET || head.method == .HEAD, head.version == .http1_1, head.isKeepAlive else {
            return nil
        }
        let headers = head.headers
        guard !headers.contains(name: "transfer-encoding"), !headers.contains(name: "upgrade"),
            !headers.contains(name: "expect"), headers.first(name: "content-length") ?? "0" == "0"
        else { return nil }
        return find(head.method.rawValue, head.uri)
    }

    /// The same for a request that is known to be as plain as that.
    func answer(method: String, target: String) -> PreparedAnswer? { isOn ? find(method, target) : nil }
}
