import Linux

/// A published port of datagrams: each client gets a socket of its own towards the container, so that answers find back.
/// They leave by the address that the client asked.
///
/// Where there is no room for another client, the one goes that was silent longest.
final class DatagramForward {
    private static let flowLimit = 1024
    private static let idleMilliseconds: Int64 = 90_000

    /// Who asked, and by which of the machine's addresses: the same socket may ask at several.
    private struct Client: Hashable {
        var peer: SocketEndpoint
        var way: DatagramWay?
    }

    private final class Flow {
        let socket: Descriptor
        /// Where the port led when the client first came.
        let target: SocketEndpoint
        var watch: EventLoop.Watch?
        var alarm: EventLoop.Alarm?
        /// By the count of datagrams that passed here.
        var lastUse: UInt64 = 0

        init(_ socket: Descriptor, _ target: SocketEndpoint) { (self.socket, self.target) = (socket, target) }
    }

    private let loop: EventLoop
    private let socket: Descriptor
    private let index: Int
    private let configuration: LiveConfiguration
    private let budget: DescriptorBudget
    private var watch: EventLoop.Watch?
    private var flows: [Client: Flow] = [:]
    private var useCount: UInt64 = 0
    private var buffer = [UInt8](repeating: 0, count: 65536)

    init(
        _ loop: EventLoop, _ socket: Descriptor, index: Int, configuration: LiveConfiguration,
        budget: DescriptorBudget
    ) throws(KernelError) {
        self.loop = loop
        self.socket = socket
        self.index = index
        self.configuration = configuration
        self.budget = budget
        try InternetSocket.tellWays(socket)
        watch = try loop.watch(socket, .readable) { [unowned self] _ in takeFromClients() }
    }

    /// The port's socket is its owner's to close.
    func close() {
        if let watch { loop.forget(watch) }
        watch = nil
        for client in Array(flows.keys) { end(client) }
    }

    private func takeFromClients() {
        let target = configuration.target(index)
        for _ in 0..<64 {
            do throws(KernelError) {
                let (count, peer, way) = try InternetSocket.receiveTold(socket, into: &buffer)
                let client = Client(peer: peer, way: way)
                guard let flow = try flow(client, to: target) else { continue }
                restartClock(flow, client)
                _ = try UnixSocket.send(flow.socket, Array(buffer[..<count]), from: 0)
            } catch {
                // A datagram that cannot be passed on is lost, as datagrams are.
                if error.errno == .wouldBlock { return }
            }
        }
    }

    private func flow(_ client: Client, to target: SocketEndpoint?) throws(KernelError) -> Flow? {
        if let flow = flows[client] {
            if flow.target == target { return flow }
            // The container has another address by now, or none.
            end(client)
        }
        guard let target, takeRoom() else { return nil }
        let flow: Flow
        do throws(KernelError) {
            flow = Flow(try InternetSocket.open(.datagram, target.address.family), target)
        } catch {
            budget.giveBack(1)
            throw error
        }
        do throws(KernelError) {
            _ = try InternetSocket.connect(flow.socket, to: target)
            flow.watch = try loop.watch(flow.socket, .readable) { [unowned self, unowned flow] _ in
                takeFromContainer(flow, client)
            }
        } catch {
            flow.socket.close()
            budget.giveBack(1)
            throw error
        }
        flows[client] = flow
        return flow
    }

    private func takeRoom() -> Bool {
        if flows.count < Self.flowLimit, budget.take(1) { return true }
        guard let silent = flows.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return false }
        end(silent)
        return budget.take(1)
    }

    private func takeFromContainer(_ flow: Flow, _ client: Client) {
        // Who has the container's former address has nothing to say to its clients.
        guard flow.target == configuration.target(index) else { return end(client) }
        for _ in 0..<64 {
            do throws(KernelError) {
                let count = try flow.socket.read(into: &buffer)
                restartClock(flow, client)
                try InternetSocket.send(socket, Array(buffer[..<count]), to: client.peer, by: client.way)
            } catch { return }  // Nothing waits, or nobody listens in the container: the client hears nothing.
        }
    }

    private func restartClock(_ flow: Flow, _ client: Client) {
        useCount += 1
        flow.lastUse = useCount
        loop.cancel(flow.alarm)
        flow.alarm = loop.after(milliseconds: Self.idleMilliseconds) { [unowned self] in end(client) }
    }

    private func end(_ client: Client) {
        guard let flow = flows.removeValue(forKey: client) else { return }
        loop.cancel(flow.alarm)
        if let watch = flow.watch { loop.forget(watch) }
        flow.socket.close()
        budget.giveBack(1)
    }
}
