import CLinux
import Glibc

/// A file system that a program in user space serves: fuse(4).
///
/// This process mounts it and gives the program the device alone, as `/dev/fd/3` in the place of a directory, which
/// libfuse takes from 3.3 on. So the program needs no right to mount and no setuid helper, and may live in another
/// mount namespace than the file system: it ends by itself once nobody has that mounted or open any more, however all
/// others end.
package struct FuseServer: Sendable {
    /// Attached nowhere; `Mount.attach` gives it a place. The caller's to close.
    package let root: Descriptor
    /// A pidfd of a child of this process. The caller's to close.
    package let process: Descriptor
    private let name: String

    private static let patienceMilliseconds: Int32 = 2000

    /// Starts the program, and waits until the file system answers.
    ///
    /// - Parameters:
    ///   - program: an absolute path.
    ///   - options: as its `-o` takes them.
    ///   - directory: where the paths in `options` start.
    /// - Throws: with what the program said last, where it ended.
    package static func start(
        program: String, options: String, in directory: String
    ) throws(KernelError) -> FuseServer {
        let name = PathName.split(program).name
        let device = OwnedDescriptor(try Descriptor.open("/dev/fuse", O_RDWR))
        // The device answers a reader only once it is mounted: the program comes second.
        let root = try Mount.make(
            "fuse",
            options: [
                ("source", name), ("subtype", name), ("fd", "\(device.descriptor.rawValue)"), ("rootmode", "40000"),
                ("user_id", "0"), ("group_id", "0"), ("allow_other", nil), ("default_permissions", nil),
            ], attributes: [])
        do throws(KernelError) {
            let complaints = OwnedDescriptor(try Descriptor.memory("output"))
            var spawn = Spawn(program: program, arguments: [name, "-f", "-o", options, "/dev/fd/3"])
            spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            spawn.descriptors = [nil, nil, complaints.descriptor, device.descriptor]
            spawn.workingDirectory = directory
            // What a terminal sends to whoever sits before it is not for this program.
            spawn.newSession = true
            let server = FuseServer(root: root, process: try PidFD.open(pid: try spawn.start()), name: name)
            // Else nobody would be told that the program has ended.
            _ = consume device
            try server.greet(complaints.descriptor)
            return server
        } catch {
            root.close()
            throw error
        }
    }

    /// The first question waits for the program's first word; where it has ended instead, that is known by now.
    private func greet(_ complaints: Descriptor) throws(KernelError) {
        do throws(KernelError) { _ = try root.status() } catch {
            end()
            process.close()
            try kernelCall("seek") { lseek(complaints.rawValue, 0, SEEK_SET) }
            let text = String(decoding: try complaints.readAll(limitBytes: 1 << 16), as: UTF8.self)
            let last = text.split(separator: "\n").last.map(String.init) ?? "it gave no reason"
            throw KernelError("mount by \(name) (\(last))", "", error.errno)
        }
    }

    /// Waits until the program has ended, which it does where nobody has the file system any more, and reaps it. For who
    /// does not reap all children anyway.
    package func end() {
        // What cannot be waited for is killed.
        let hasEnded = (try? PidFD.waitForEnd(process, timeoutMilliseconds: Self.patienceMilliseconds)) ?? false
        if !hasEnded { try? PidFD.send(SIGKILL, to: process) }  // It has ended just now.
        _ = try? PidFD.reap(process)  // Somebody else has reaped it.
    }
}
