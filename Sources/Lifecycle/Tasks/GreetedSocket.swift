import AsyncIO
import EngineAPI
import Glibc
import Linux
import ShimAPI

/// A connection on which both sides have said hello.
struct GreetedSocket: Sendable {
    let socket: AsyncSocket
    let shim: ShimProcess
    /// What the shim speaks.
    let version: UInt16
    /// What came behind the hello.
    var decoder: ShimFrameDecoder

    /// `notFound` where nobody listens there; `unavailable` where the shim does not answer in time.
    ///
    /// - Parameter frames: sent together with the greeting.
    static func open(
        _ directory: ShimDirectory, patience: Duration = ShimTaskService.patience, followedBy frames: [UInt8] = []
    ) async throws(EngineError) -> GreetedSocket {
        let socket = try connect(directory)
        let limit = SocketDeadlines.shared.close(socket, in: patience)
        defer { SocketDeadlines.shared.lift(limit) }
        do {
            try await socket.write(ShimRequest.hello(version: ShimFrame.version).frame(tag: 0).bytes + frames)
            var decoder = ShimFrameDecoder()
            while true {
                if let frame = try decoder.next() {
                    guard case .hello(let version, let shim) = try ShimAnswer(frame) else { break }
                    return GreetedSocket(socket: socket, shim: shim, version: version, decoder: decoder)
                }
                let bytes = try await socket.read()
                if bytes.isEmpty { break }
                decoder.append(bytes)
            }
        } catch {
            socket.close()
            let reason = SocketDeadlines.shared.lift(limit) ? "\(error)" : "it does not answer"
            throw EngineError(.unavailable, "greet the shim of \(directory.id): \(reason)", object: directory.id)
        }
        socket.close()
        throw EngineError(.unavailable, "greet the shim of \(directory.id): it hung up", object: directory.id)
    }

    private static func connect(_ directory: ShimDirectory) throws(EngineError) -> AsyncSocket {
        do {
            let place = OwnedDescriptor(try Descriptor.open(directory.path, O_RDONLY | O_DIRECTORY))
            return try AsyncSocket.connect(in: place.descriptor, name: ShimDirectory.socketName)
        } catch {
            switch error.errno {
            case .noSuchFile, .connectionRefused, .notDirectory: throw .noSuchTask(directory.id)
            default: throw EngineError(error, task: directory.id)
            }
        }
    }
}
