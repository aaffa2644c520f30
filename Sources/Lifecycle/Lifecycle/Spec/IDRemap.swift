import OCI

/// The host's ids that the ids of containers' user namespaces stand for: docker's `userns-remap`.
package struct IDRemap: Hashable, Sendable {
    /// Without gaps from 0 on, as they are inside.
    package let uids: [LinuxIDMapping]
    package let gids: [LinuxIDMapping]

    /// Nil where there is not even a root.
    package init?(uids: [LinuxIDMapping], gids: [LinuxIDMapping]) {
        guard uids.first?.containerID == 0, gids.first?.containerID == 0 else { return nil }
        self.uids = uids
        self.gids = gids
    }

    /// The host's ids of containers' root.
    package var rootUID: UInt32 { uids[0].hostID }
    package var rootGID: UInt32 { gids[0].hostID }
    /// The last group that there is inside.
    package var lastGroupID: UInt32 { gids.reduce(0) { max($0, $1.containerID + ($1.size - 1)) } }

    /// The host's id of one inside; nil where it has none.
    package func hostUID(_ id: UInt32) -> UInt32? { Self.host(id, uids) }
    package func hostGID(_ id: UInt32) -> UInt32? { Self.host(id, gids) }

    private static func host(_ id: UInt32, _ map: [LinuxIDMapping]) -> UInt32? {
        map.first { id >= $0.containerID && id - $0.containerID < $0.size }.map { $0.hostID + (id - $0.containerID) }
    }

    /// The id inside of one of the host's; nil for one that nobody has there.
    package func uid(ofHost id: UInt32) -> UInt32? { Self.inside(id, uids) }
    package func gid(ofHost id: UInt32) -> UInt32? { Self.inside(id, gids) }

    private static func inside(_ id: UInt32, _ map: [LinuxIDMapping]) -> UInt32? {
        map.first { id >= $0.hostID && id - $0.hostID < $0.size }.map { $0.containerID + (id - $0.hostID) }
    }

    /// As /proc/PID/uid_map and gid_map take them.
    package var uidText: String { Self.text(uids) }
    package var gidText: String { Self.text(gids) }

    private static func text(_ map: [LinuxIDMapping]) -> String {
        map.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }
}
