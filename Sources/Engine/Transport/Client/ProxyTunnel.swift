import NIOCore

/// Asks an HTTP proxy for a connection to somewhere else (`CONNECT`, RFC 9110, section 9.3.6), then goes out of the way.
final class ProxyTunnel: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let whenOpen: EventLoopPromise<Void>
    private var answer: [UInt8] = []
    private var isOver = false
    private static let answerLimitBytes = 16 << 10

    /// - Parameters:
    ///   - authority: host and port, with brackets around an IPv6 address.
    ///   - authorization: the value of a `Proxy-Authorization` field.
    init(to authority: String, authorization: String?, whenOpen: EventLoopPromise<Void>) {
        let field = authorization.map { "Proxy-Authorization: \($0)\r\n" } ?? ""
        request = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\(field)\r\n"
        self.whenOpen = whenOpen
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes after the proxy's answer is the other server's, which speaks only when spoken to.
        answer += [UInt8](buffer: Self.unwrapInboundIn(data))
        guard let end = answer.indices.first(where: { answer[$0...].starts(with: [13, 10, 13, 10]) }) else {
            if answer.count > Self.answerLimitBytes { finish(.malformed("the proxy's answer is too long"), context) }
            return
        }
        let line = answer[..<end].prefix { $0 != 13 }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return finish(.malformed("the proxy does not speak HTTP"), context)
        }
        guard (200..<300).contains(status) else {
            return finish(
                .malformed("the proxy refused the connection: \(words.dropFirst().joined(separator: " "))"), context)
        }
        finish(nil, context)
    }

    func channelReadComplete(context: ChannelHandlerContext) { if !isOver { context.read() } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(TransportError(error), context) }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.closed, context)
        context.fireChannelInactive()
    }

    private func finish(_ error: TransportError?, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        if let error { whenOpen.fail(error) } else { whenOpen.succeed() }
    }
}
