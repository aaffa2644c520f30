import AsyncIO
import EngineAPI
import Glibc
import Linux

/// Standard input and output joined to a Unix socket, byte by byte in both directions.
package enum StdioRelay {
    /// Returns once the server has sent all that it has to say. The end of standard input is passed on, and what comes
    /// after it is still written out.
    ///
    /// - Throws: `unavailable` where nobody answers at the path.
    package static func run(socketPath: String) async throws(EngineError) {
        let socket: OwnedDescriptor
        do throws(KernelError) { socket = try connected(socketPath) } catch {
            throw EngineError(.unavailable, "connect to `\(socketPath)`: \(error)", object: socketPath)
        }
        let descriptor = socket.descriptor
        // Left behind where input never ends: the process is over then.
        let input = Task {
            await BlockingPool.shared.run {
                copy(from: .standardInput, to: descriptor)
                shutdown(descriptor.rawValue, Int32(SHUT_WR))
            }
        }
        await BlockingPool.shared.run { copy(from: descriptor, to: .standardOutput) }
        input.cancel()
        // The other thread may still read for this socket, so it stays open until the process ends.
        _ = socket.release()
    }

    private static func connected(_ path: String) throws(KernelError) -> OwnedDescriptor {
        let parts = PathName.split(path)
        let folder = OwnedDescriptor(try Descriptor.open(parts.parent, O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixSocket.connect(in: folder.descriptor, name: parts.name))
        let number = socket.descriptor.rawValue
        try kernelCall("fcntl", path) { fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK) }
        return socket
    }

    /// Until one of them has enough.
    private static func copy(from source: Descriptor, to target: Descriptor) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        do throws(KernelError) {
            while true {
                let count = try source.read(into: &chunk)
                if count == 0 { return }
                try target.writeAll(Array(chunk[..<count]))
            }
        } catch {
            // Either side is gone, which is how a connection ends.
        }
    }
}
