import EngineAPI
import Glibc
import Linux

/// A container's processes where no cgroup tells them, as in an ordinary user's engine to which none is delegated: those
/// in the pid namespace of its first. Some 5 µs for each process of the machine that this user may look at.
package enum NamespaceMembers {
    /// - Returns: the first process alone where it has the engine's own pid namespace, which is no container's.
    package static func pids(of initial: Int32) -> [Int32] {
        guard let wanted = namespace(String(initial)) else { return [] }
        guard wanted != namespace("self") else { return [initial] }
        // /proc can be listed, or nothing works at all.
        return ((try? Directory.list("/proc")) ?? []).filter { namespace($0) == wanted }.compactMap { Int32($0) }
    }

    /// Nil for what is no process, is gone, or is another user's.
    private static func namespace(_ name: String) -> String? {
        guard name == "self" || name.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = readlink("/proc/\(name)/ns/pid", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
