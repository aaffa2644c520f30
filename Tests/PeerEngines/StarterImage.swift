import EngineAPI
import Foundation
import Linux
import RemoteEngine

/// The image of our own engine's start, for a peer.
enum StarterImage {
    /// Until the engine answers, half a minute at most.
    static func wait(for engine: DockerEngine) async throws {
        for _ in 0..<600 {
            do {
                _ = try await engine.version()
                return
            } catch {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        _ = try await engine.version()
    }

    static func give(to engine: DockerEngine, below folder: String) async throws {
        let root = "\(folder)/rootfs"
        let script = """
            mkdir -p \(root)/bin \(root)/etc \(root)/tmp \(root)/root \(root)/var \(root)/home \(root)/usr
            cp /bin/busybox \(root)/bin/busybox
            for name in $(/bin/busybox --list); do [ $name = busybox ] || ln -sf busybox \(root)/bin/$name; done
            echo root:x:0:0:root:/root:/bin/sh >\(root)/etc/passwd; echo root:x:0: >\(root)/etc/group
            chmod 1777 \(root)/tmp
            tar -C \(root) -cf \(folder)/image.tar .
            """
        var spawn = Spawn(program: "/bin/sh", arguments: ["sh", "-c", script])
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        var status: Int32 = 0
        waitpid(try spawn.start(), &status, 0)
        let content = WholeContent(try FileContents.read("\(folder)/image.tar"))
        var request = ImageImportRequest(EngineStream { content.next() }, name: "gantry/starter:latest")
        request.changes = ["CMD [\"sh\"]", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        _ = try await engine.importImage(request)
    }
}

/// Safety: one consumer takes from it, each time after the last.
private final class WholeContent: @unchecked Sendable {
    private var bytes: [UInt8]?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func next() -> [UInt8]? {
        defer { bytes = nil }
        return bytes
    }
}
