import AsyncIO
import Glibc
import Linux
import NameService

/// A resolver of the host that answers every question with one address, or refuses it.
struct FakeResolver: Sendable {
    static let answer = IPAddress(.v4, 0xC000_0207)

    private let datagrams: Descriptor
    private let listener: Descriptor

    init(_ local: SocketEndpoint) throws {
        datagrams = try InternetSocket.bound(.datagram, local)
        listener = try InternetSocket.bound(.stream, local)
    }

    func close() {
        datagrams.close()
        listener.close()
    }

    /// Answers so many questions of each kind, or gives up after some seconds.
    ///
    /// - Parameter refusals: what the first datagrams are answered by.
    func serve(datagrams datagramCount: Int, connections: Int, refusals: [DNSResponseCode] = []) async throws {
        let resolver = self
        try await BlockingPool.shared.run { () throws -> Void in
            for number in 0..<datagramCount {
                try resolver.answerDatagram(number < refusals.count ? refusals[number] : .success)
            }
            for _ in 0..<connections { try resolver.answerConnection() }
        }
    }

    private func answerDatagram(_ code: DNSResponseCode) throws {
        guard NetworkPeer.wait(datagrams, POLLIN, 5) else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let (count, client) = try InternetSocket.receive(datagrams, into: &buffer)
        try InternetSocket.send(datagrams, Self.reply(Array(buffer[..<count]), code), to: client)
    }

    private func answerConnection() throws {
        guard NetworkPeer.wait(listener, POLLIN, 5) else { return }
        let socket = OwnedDescriptor(try UnixSocket.accept(listener))
        guard NetworkPeer.wait(socket.descriptor, POLLIN, 5) else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try socket.descriptor.read(into: &buffer)
        let reply = try Self.reply(Array(buffer[2..<count]))
        _ = try UnixSocket.send(socket.descriptor, [0, UInt8(reply.count)] + reply, from: 0)
        // Until the shim has read it.
        _ = NetworkPeer.wait(socket.descriptor, POLLIN, 5)
    }

    private static func reply(_ question: [UInt8], _ code: DNSResponseCode = .success) throws -> [UInt8] {
        let records = code == .success ? [DNSRecord.address(answer)] : []
        return try DNSQuery(parsing: question).response(code, records, limit: 512)
    }
}
