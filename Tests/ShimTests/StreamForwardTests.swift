import Glibc
import Linux
import Testing

@testable import Shim

@Suite struct StreamForwardTests {
    @Test("A port that is closed in the turn in which one of its connections breaks off is not told of that any more")
    func closedMeanwhile() throws {
        var template = Array("/tmp/gantry-forward-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let file = directory + "/network"
        defer {
            unlink(file)
            rmdir(directory)
        }
        let loopback = try #require(IPAddress("127.0.0.1"))
        let server = OwnedDescriptor(try InternetSocket.bound(.stream, SocketEndpoint(loopback, 0)))
        let listener = OwnedDescriptor(try InternetSocket.bound(.stream, SocketEndpoint(loopback, 0)))
        let target = try InternetSocket.port(server.descriptor)
        try FileContents.replace(file, with: Array("forward 127.0.0.1 \(target)\n".utf8), durable: false)

        let loop = try EventLoop()
        var forward: StreamForward? = try StreamForward(
            loop, listener.descriptor, index: 0, configuration: LiveConfiguration(path: file),
            budget: DescriptorBudget(limit: 1000))
        let client = try InternetSocket.open(.stream, .v4)
        _ = try InternetSocket.connect(
            client, to: SocketEndpoint(loopback, try InternetSocket.port(listener.descriptor)))
        let (word, teller) = try Descriptor.pipe()
        defer { for end in [word, teller] { end.close() } }
        var served: Descriptor?
        _ = try loop.watch(server.descriptor, .readable) { _ in
            guard served == nil else { return }
            served = try? UnixSocket.accept(server.descriptor)
            // The connection breaks off, and the word comes: both are there when the loop looks next.
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(client.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            client.close()
            try? teller.writeAll([1])
        }
        let watch = try loop.watch(word, .readable) { _ in
            guard forward != nil else { return }
            forward?.close()
            forward = nil
            loop.after(milliseconds: 20) { loop.end() }
        }
        try loop.run()
        loop.forget(watch)
        served?.close()
        #expect(forward == nil && served != nil)
    }
}
