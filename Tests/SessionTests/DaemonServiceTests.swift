import Glibc
import Linux
import Testing

/// The daemon as a service: what it tells whoever has started it.
struct DaemonServiceTests {
    /// What has come to a socket, line by line.
    private final class Heard {
        private let socket: Descriptor
        private(set) var lines: [String] = []

        init(_ socket: Descriptor) { self.socket = socket }

        func has(_ line: String, times: Int = 1) -> Bool {
            var message = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(socket.rawValue, &message, message.count, Int32(MSG_DONTWAIT)), count > 0 {
                lines += String(decoding: message[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
            }
            return lines.count { $0.hasPrefix(line) } >= times
        }
    }

    @Test("A daemon tells that it serves, reads its configuration anew, and ends; no other process speaks for it")
    func notifications() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let place = OwnedDescriptor(try Descriptor.open(bench.root, O_PATH | O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixDatagram.bind(in: place.descriptor, name: "notify", mode: 0o600))
        let heard = Heard(socket.descriptor)
        let daemon = try bench.start(["daemon"], environment: ["NOTIFY_SOCKET=\(bench.root)/notify"])
        #expect(eventually { heard.has("READY=1") }, "\(daemon.errors)")
        #expect(heard.has("STATUS=serving the engine of \(bench.root)/data"), "\(heard.lines)")
        try bench.succeed("run", "-d", "--network", "none", "gantry/starter", "sleep", "60")
        let shims = try Directory.list("/proc").filter { entry in
            // What has ended meanwhile is none.
            guard let bytes = try? FileContents.read("/proc/\(entry)/cmdline") else { return false }
            let words = String(decoding: bytes, as: UTF8.self)
            return words.contains("gantry-shim") && words.contains(bench.root)
        }
        #expect(!shims.isEmpty)
        for shim in shims {
            let environment = try FileContents.read("/proc/\(shim)/environ")
            #expect(!String(decoding: environment, as: UTF8.self).contains("NOTIFY_SOCKET"))
        }
        daemon.kill(SIGHUP)
        #expect(eventually { heard.has("READY=1", times: 2) }, "\(daemon.errors)")
        #expect(heard.has("RELOADING=1") && heard.has("MONOTONIC_USEC="), "\(heard.lines)")
        #expect(!heard.has("STOPPING=1"))
        daemon.kill(SIGTERM)
        #expect(daemon.ended() == 0)
        #expect(heard.has("STOPPING=1"), "\(heard.lines)")
    }

    @Test("A daemon that stands by is ready, and says for whom; a manager that is gone is a complaint and no more")
    func standingBy() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let place = OwnedDescriptor(try Descriptor.open(bench.root, O_PATH | O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixDatagram.bind(in: place.descriptor, name: "notify", mode: 0o600))
        let heard = Heard(socket.descriptor)
        let host = try bench.start(["events"])
        #expect(eventually { access("\(bench.root)/run/gantry.sock", F_OK) == 0 })
        let daemon = try bench.start(["daemon"], environment: ["NOTIFY_SOCKET=\(bench.root)/notify"])
        #expect(eventually { heard.has("STATUS=standing by: process \(host.pid) hosts") }, "\(daemon.errors)")
        #expect(heard.has("READY=1"))
        unlink("\(bench.root)/notify")
        host.kill(SIGINT)
        #expect(host.ended() == 128 + SIGINT)
        #expect(eventually { daemon.errors.contains("tell the service manager") }, "\(daemon.errors)")
        try bench.succeed("volume", "create", "one")
        daemon.kill(SIGTERM)
        #expect(daemon.ended() == 0, "\(daemon.errors)")
    }
}
