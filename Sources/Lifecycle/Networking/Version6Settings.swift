import Linux
import Netlink

/// What a device makes of version 6 by itself.
///
/// Whoever is on a link may call itself its router, and a machine that listens makes addresses and a default route of
/// what it is told. So any container could draw its neighbours' traffic of version 6 to itself, and the host's by the
/// bridge (CVE-2020-13401).
enum Version6Settings {
    /// Has a device learn nothing from routers, and be without version 6 where it has no addresses of it. Before it is up.
    /// Blocking.
    ///
    /// - Parameter namespace: where the device is; nil for that of the calling thread.
    static func restrict(
        _ device: String, usesVersion6: Bool, in namespace: Descriptor?
    ) throws(KernelError) {
        guard Version6.isThere else { return }
        let settings = [("accept_ra", "0")] + (usesVersion6 ? [] : [("disable_ipv6", "1")])
        guard let namespace else { return try write(settings, device) }
        try NetworkNamespace.run(in: namespace) { () throws(KernelError) in try write(settings, device) }
    }

    private static func write(_ settings: [(name: String, value: String)], _ device: String) throws(KernelError) {
        for (name, value) in settings {
            let path = "/proc/sys/net/ipv6/conf/\(device)/\(name)"
            do throws(KernelError) {
                // Most are as they should be, and may be where nothing can be written.
                if try FileContents.read(path, limitBytes: 64).first == value.utf8.first { continue }
                try FileContents.write(value, to: path)
            } catch  where error.errno == .noSuchFile {
                // Its packets are too small for version 6.
            }
        }
    }
}
