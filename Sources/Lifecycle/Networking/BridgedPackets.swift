import Linux

/// What br_netfilter does: it shows packets that pass a bridge to the packet filters of routed ones. Docker loads it.
package enum BridgedPackets {
    /// Blocking, shortly.
    ///
    /// - Parameter filter: `iptables` or `ip6tables`.
    package static func areShown(to filter: String) -> Bool {
        // Without the module there is no such switch.
        let text = try? FileContents.read("/proc/sys/net/bridge/bridge-nf-call-\(filter)", limitBytes: 16)
        return text?.first == UInt8(ascii: "1")
    }
}
