import Glibc
import Linux

/// Whether a process may use a Unix socket, by the permissions that the socket's file has now.
///
/// connect(2) has asked the same of the file as it was then. Asked again here, the answer holds also for a listening
/// socket that was handed down, or whose file was left open to all for a moment.
enum PeerAccess {
    /// What decides: the file's owner, group and mode, and who the peer is.
    static func admits(
        uid: UInt32, groups: [UInt32], ownUID: UInt32, owner: UInt32, group: UInt32, mode: UInt32
    ) -> Bool {
        if uid == 0 || uid == ownUID { return true }
        if uid == owner { return mode & 0o200 != 0 }
        return mode & (groups.contains(group) ? 0o020 : 0o002) != 0
    }

    /// Whatever the file's permissions are or become.
    static func admitsAlways(_ peer: PeerCredentials) -> Bool { peer.uid == 0 || peer.uid == geteuid() }

    static func admits(_ peer: PeerCredentials, socketPath: String) -> Bool {
        // Told apart first, for the usual case needs no look at any file.
        if admitsAlways(peer) { return true }
        var status = stat()
        // The file was removed under a server that still listens: who is connected had found it before.
        guard lstat(socketPath, &status) == 0 else { return false }
        return admits(
            uid: peer.uid, groups: [peer.gid] + supplementaryGroups(of: peer.pid), ownUID: geteuid(),
            owner: status.st_uid, group: status.st_gid, mode: status.st_mode)
    }

    /// Those of the process that connected; none where it is gone already.
    private static func supplementaryGroups(of pid: Int32) -> [UInt32] {
        // A process that is gone has no groups to be admitted by.
        guard let bytes = try? FileContents.read("/proc/\(pid)/status") else { return [] }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: Array("Groups:".utf8)) {
            return line.dropFirst(7).split { $0 == 9 || $0 == 32 }.compactMap {
                UInt32(String(decoding: $0, as: UTF8.self))
            }
        }
        return []
    }
}
