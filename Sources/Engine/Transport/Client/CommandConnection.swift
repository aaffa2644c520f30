import CLinux
import Glibc
import Linux
import NIOPosix
import Synchronization

/// A program whose standard input and output are a connection to a server, such as ssh(1).
///
/// It gets a session of its own, so that it asks nobody for a password on a terminal that somebody else draws on. What it
/// complains of is kept, and told where the connection breaks.
final class CommandConnection: Sendable {
    /// This side's end; belongs to whoever makes a channel of it.
    let socket: Descriptor
    private let complaints: OwnedDescriptor
    let pid: Int32

    /// - Throws: what exec(3) met.
    init(_ words: [String]) throws(KernelError) {
        let name = words.first ?? ""
        let complaints = OwnedDescriptor(try Descriptor.memory("stderr"))
        let (own, others) = try UnixSocket.pair()
        defer { others.close() }
        var spawn = Spawn(program: Self.find(name), arguments: words)
        spawn.environment = Self.environment
        spawn.descriptors = [others, others, complaints.descriptor]
        spawn.newSession = true
        do throws(KernelError) { pid = try spawn.start() } catch {
            own.close()
            throw error
        }
        socket = own
        self.complaints = complaints
    }

    /// Ends the program and reaps it, off the caller's thread. One that is stopped or hangs is killed, since the thread
    /// is one of few.
    func end() {
        let pid = pid
        kill(pid, SIGTERM)
        NIOThreadPool.singleton.submit { _ in
            do throws(KernelError) {
                let process = OwnedDescriptor(try PidFD.open(pid: pid))
                if try !PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: 2000) { kill(pid, SIGKILL) }
            } catch {
                // Not to be waited for in bounded time, so not waited for in peace.
                kill(pid, SIGKILL)
            }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        }
    }

    /// The last lines of what it said on standard error.
    var complaint: String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let size = lseek(complaints.descriptor.rawValue, 0, SEEK_END)
        let start = max(0, size - off_t(bytes.count))
        let count = pread(complaints.descriptor.rawValue, &bytes, bytes.count, start)
        guard count > 0 else { return "" }
        let lines = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.suffix(3).joined(separator: "; ")
    }

    private static func find(_ name: String) -> String {
        if name.contains("/") { return name }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return name
    }

    private static var environment: [String] {
        var list: [String] = []
        var next = environ
        while let entry = next.pointee {
            list.append(String(cString: entry))
            next += 1
        }
        return list
    }
}
