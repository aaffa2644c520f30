import EngineAPI
import Glibc
import Linux

/// The machine's static busybox. Blocking.
struct BusyboxProgram {
    let bytes: [UInt8]
    let applets: [String]
    let modified: Timestamp

    private static let usualPlaces = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"]
    private static let remedy = "install one with: apt-get install busybox-static"

    /// - Parameter path: nil for the first of the usual places that has a static one.
    init(path: String?) throws(EngineError) {
        var objection = "no busybox was found in \(Self.usualPlaces.joined(separator: ", "))"
        for place in path.map({ [$0] }) ?? Self.usualPlaces {
            do throws(KernelError) {
                let file = OwnedDescriptor(try Descriptor.open(place, O_RDONLY))
                if let reason = try StaticProgram.objection(file.descriptor) {
                    objection = "`\(place)` cannot be used: \(reason)"
                    continue
                }
                let facts = try file.descriptor.status()
                self.init(
                    bytes: try file.descriptor.readAll(limitBytes: 64 << 20), applets: try Self.applets(of: place),
                    modified: Timestamp(seconds: Int64(facts.st_mtim.tv_sec)))
                return
            } catch {
                if error.errno != .noSuchFile || path != nil { objection = "`\(place)` cannot be used: \(error)" }
            }
        }
        throw EngineError(.unavailable, "cannot pack the starter image: \(objection); \(Self.remedy)")
    }

    private init(bytes: [UInt8], applets: [String], modified: Timestamp) {
        self.bytes = bytes
        self.applets = applets
        self.modified = modified
    }

    /// What `busybox --list` says.
    private static func applets(of program: String) throws(KernelError) -> [String] {
        let (output, input) = try Descriptor.pipe()
        let reader = OwnedDescriptor(output)
        var spawn = Spawn(program: program, arguments: ["busybox", "--list"])
        spawn.descriptors = [nil, input, nil]
        let pid: Int32
        do throws(KernelError) { pid = try spawn.start() } catch {
            input.close()
            throw error
        }
        input.close()
        let text: Result<[UInt8], KernelError>
        do throws(KernelError) { text = .success(try reader.descriptor.readAll(limitBytes: 1 << 20)) } catch {
            text = .failure(error)
        }
        var status: Int32 = 0
        try kernelCall("wait for", program) { waitpid(pid, &status, 0) }
        let names = String(decoding: try text.get(), as: UTF8.self).split(separator: "\n").map(String.init)
        guard status == 0, names.contains("sh") else {
            throw KernelError("list the applets of", program, .notSupported)
        }
        return names.filter { !$0.contains("/") }
    }
}
