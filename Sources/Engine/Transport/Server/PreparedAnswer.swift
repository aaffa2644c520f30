import NIOCore
import NIOHTTP1

/// A whole answer that was made before its request, and is sent as often as it is asked for.
package struct PreparedAnswer: Sendable {
    package let status: Int
    let head: HTTPResponseHead
    let body: ByteBuffer

    package init(_ status: Int, _ fields: HTTPFields, body: [UInt8]) {
        var fields = fields
        fields["Content-Length"] = String(body.count)
        self.status = status
        head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields.headers)
        self.body = ByteBuffer(bytes: body)
    }
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
}
