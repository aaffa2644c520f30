import NIOCore
import NIOHTTP1
import NIOPosix

/// The one thread that serves all sockets of the process: it moves bytes and nothing else.
enum EventLoops {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}

extension TransportError {
    /// What an error of NIO means here.
    init(_ error: any Error) {
        switch error {
        case let error as TransportError: self = error
        // The peer went away in the middle of a message.
        case HTTPParserError.invalidEOFState: self = .closed
        case HTTPParserError.headerOverflow: self = .malformed("the head is too long")
        case let error as HTTPParserError: self = .malformed("\(error)")
        case let error as ByteToMessageDecoderError: self = .malformed("\(error)")
        default: self = TLSFailure.reason(error) ?? .closed
        }
    }
}

extension HTTPFields {
    init(_ headers: HTTPHeaders) {
        self.init()
        for (name, value) in headers { add(name, value) }
    }

    var headers: HTTPHeaders { HTTPHeaders(list.map { ($0.name, $0.value) }) }
}
