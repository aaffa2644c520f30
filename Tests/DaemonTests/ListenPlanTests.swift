import EngineAPI
import Testing
import Transport

@testable import Daemon

@Suite struct ListenPlanTests {
    private static let files = DaemonListener.Certificates(
        authorityFile: "/ca", certificateFile: "/cert", keyFile: "/key")
    private static let tls = ServerTLSSettings(authorityFile: "/ca", certificateFile: "/cert", keyFile: "/key")

    private func plan(tls: Bool = false, plain: Bool = false) -> ListenPlan {
        let sockets = [
            DaemonListener.Inherited(number: 3, name: "api"), DaemonListener.Inherited(number: 4, name: "net"),
            DaemonListener.Inherited(number: 5, name: "huh"),
        ]
        return ListenPlan(tls ? Self.files : nil, plain, sockets) { number in
            [3: .unix(path: "/s"), 4: .internet(isLoopback: false)][number]
        }
    }

    @Test(
        "TCP is served with certificates",
        arguments: [
            ("tcp://127.0.0.1:2376", "127.0.0.1", 2376), ("tcp://0.0.0.0", "0.0.0.0", 2376),
            ("tcp://:99", "0.0.0.0", 99), ("tcp://[::1]:99", "::1", 99), ("tcp://[::1]", "::1", 2376),
            ("tcp://name:0", "name", 0),
        ])
    func tcp(host: String, name: String, port: Int) throws {
        #expect(
            try plan(tls: true).listeners(host)
                == [DaemonListener(address: .tcp(host: name, port: port), tls: Self.tls)])
    }

    @Test("TCP without certificates is served to nobody, but on the loopback to whoever insists")
    func plain() throws {
        for host in ["tcp://127.0.0.1:1", "tcp://0.0.0.0:1", "tcp://name:1", "fd://net"] {
            let error = #expect(throws: EngineError.self) { try plan().listeners(host) }
            #expect(error?.kind == .denied)
        }
        for host in ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://localhost:1", "tcp://[::1]:1"] {
            #expect(try plan(plain: true).listeners(host).first?.tls == nil)
        }
        for host in ["tcp://0.0.0.0:1", "tcp://:1", "tcp://127.0.0.1.example.org:1", "tcp://10.0.0.1:1", "fd://net"] {
            let error = #expect(throws: EngineError.self) { try plan(plain: true).listeners(host) }
            #expect(error?.kind == .denied, "\(host)")
        }
    }

    @Test("Sockets of the process's start are served by name, by number, or all")
    func inherited() throws {
        let api = DaemonListener(address: .inherited(3), tls: nil)
        #expect(try plan().listeners("fd://api") == [api])
        #expect(try plan().listeners("fd://3") == [api])
        #expect(
            try plan(tls: true).listeners("fd://net") == [DaemonListener(address: .inherited(4), tls: Self.tls)])
        for host in ["fd://", "fd://none", "fd://huh"] {
            #expect(throws: EngineError.self) { try plan(tls: true).listeners(host) }
        }
    }

    @Test("What is no address is refused", arguments: ["", "unix:", "unix://x", "tcp://a:b", "tcp://[::1", "huh://x"])
    func refused(host: String) {
        let error = #expect(throws: EngineError.self) { try plan(tls: true, plain: true).listeners(host) }
        #expect(error?.kind == .invalid)
    }
}
