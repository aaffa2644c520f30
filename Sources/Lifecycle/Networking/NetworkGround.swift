import EngineAPI
import Linux
import Netlink

/// Where an engine's bridges are: the network of the machine, or, for an ordinary user, a namespace of its own with a
/// process that carries packets between it and the world. Published ports are bound in the machine's either way, by the
/// engine; the shims that serve them are inside.
package struct NetworkGround: Sendable {
    /// Nil for the machine's own.
    package var namespace: Descriptor?
    /// Where names of the world are asked for from inside.
    package var resolver: IPAddress?

    package init(namespace: Descriptor? = nil, resolver: IPAddress? = nil) {
        self.namespace = namespace
        self.resolver = resolver
    }

    /// Makes the namespace fit for use: with a loopback that works, for what is sent to a bridge's own address. Blocking.
    package func prepare() throws(EngineError) {
        guard let namespace else { return }
        do {
            var socket = try NetlinkSocket(in: namespace)
            // The loopback's index in every namespace.
            try socket.setUp(1)
        } catch { throw EngineError(.internal, "prepare the network namespace: \(error)") }
    }

    /// Runs what looks at, or changes, the network that the calling thread is in. Blocking.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(EngineError) -> Value
    ) throws(EngineError) -> Value {
        guard let namespace else { return try body() }
        let result: Result<Value, EngineError>
        do throws(KernelError) {
            result = try NetworkNamespace.run(in: namespace) { () throws(KernelError) in
                Result { () throws(EngineError) in try body() }
            }
        } catch { throw EngineError(.internal, "\(error)") }
        return try result.get()
    }
}
