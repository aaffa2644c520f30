import CLinux
import CSeccomp
import Glibc
import JSON
import Linux
import OCI

/// A filter ready for the kernel.
struct SeccompFilter {
    var instructions: [UInt8]
    var flags: UInt32
    /// Who is asked about some calls; nil where nobody is.
    var listener: SeccompListener?

    /// seccomp(2): from here on, this thread and what it executes make only calls that the filter lets through.
    ///
    /// - Parameter channel: over which the runtime is told of a listener's descriptor, and answers once the agent has it.
    func install(_ channel: SyncChannel?) throws(KernelError) {
        // SECCOMP_FILTER_FLAG_NEW_LISTENER 8.
        let number = try kernelCall("install the seccomp filter") {
            instructions.withUnsafeBytes {
                gantry_seccomp_filter($0.baseAddress, UInt16($0.count / 8), listener == nil ? flags : flags | 8)
            }
        }
        guard listener != nil else { return }
        let descriptor = OwnedDescriptor(Descriptor(rawValue: number))
        guard let channel else { throw KernelError("hand over the seccomp descriptor", "", .brokenPipe) }
        // By write(2), the one call about which no agent can be asked.
        try channel.socket.writeAll(SyncMessage.listener(descriptor.descriptor.rawValue).bytes)
        guard try channel.receive() == .proceed else {
            throw KernelError("hand over the seccomp descriptor", "", .brokenPipe)
        }
    }

    static let flagNames = [
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", waitKillable,
    ]
    private static let waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

    static func flags(of profile: LinuxSeccomp, _ listener: SeccompListener?) throws(RuntimeError) -> UInt32 {
        var bits: UInt32 = 0
        for name in profile.flags {
            switch name {
            // One thread installs the filter, and it is the process's only one.
            case "SECCOMP_FILTER_FLAG_TSYNC": break
            case "SECCOMP_FILTER_FLAG_LOG": bits |= 2
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": bits |= 4
            case waitKillable:
                guard listener != nil else {
                    throw RuntimeError("linux.seccomp.flags: \(name) is of use with \(SeccompListener.action) only")
                }
                bits |= 0x20
            default: throw RuntimeError("linux.seccomp.flags: seccomp flag \"\(name)\" not supported")
            }
        }
        return bits
    }
}

/// Filters kept from one container to the next, since making one takes longer than making the container.
///
/// A file holds the profile's whole text before the program: a hit is a profile that is the same byte for byte, so
/// neither a collision of hashes nor a file for another libseccomp can give a container the wrong filter. The folder and
/// its files are root's own and closed to others, which is checked on the open descriptor before a file is believed.
struct SeccompCache {
    /// A folder of this name lies in the runtime's root; `@` cannot be in a container's id.
    static let folder = "seccomp@3"
    let root: String

    func filter(for profile: LinuxSeccomp) throws(RuntimeError) -> SeccompFilter {
        let listener = try SeccompListener(profile)
        let flags = try SeccompFilter.flags(of: profile, listener)
        let key = Array("\(Self.version)\n".utf8) + profile.json.compactBytes
        let name = Self.name(for: key)
        if let instructions = stored(name, key) {
            return SeccompFilter(instructions: instructions, flags: flags, listener: listener)
        }
        let made = try SeccompCompiler.compile(profile)
        let halved = FilterDecisions(FilterInstruction.list(made))?.program.flatMap(\.bytes) ?? made
        let instructions = halved.count / 8 <= FilterInstruction.programLimit ? halved : made
        guard !instructions.isEmpty, instructions.count % 8 == 0,
            instructions.count / 8 <= FilterInstruction.programLimit
        else {
            throw RuntimeError(
                "seccomp: a filter of \(instructions.count / 8) instructions is more than the kernel takes")
        }
        store(name, key, instructions)
        return SeccompFilter(instructions: instructions, flags: flags, listener: listener)
    }

    private static var version: String {
        guard let version = seccomp_version() else { return "unknown" }
        return "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }

    /// FNV-1a of 64 bits: a name, not a proof.
    private static func name(for key: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16) + ".bpf"
    }

    /// Nil for anything that is not exactly what this program would have written: the filter is then made anew.
    private func stored(_ name: String, _ key: [UInt8]) -> [UInt8]? {
        // Any failure here means only that the filter must be made.
        guard let folder = try? openFolder() else { return nil }
        defer { folder.close() }
        // As above.
        guard let file = try? folder.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        defer { file.close() }
        // As above.
        guard let facts = try? file.status(), facts.st_uid == geteuid(), facts.st_mode & 0o7777 == 0o600,
            facts.st_mode & S_IFMT == S_IFREG, facts.st_nlink == 1,
            // As above.
            let bytes = try? file.readAll(limitBytes: Self.fileLimitBytes)
        else { return nil }
        let length = MemoryLayout<UInt32>.size
        guard bytes.count > length + key.count else { return nil }
        let stated = bytes[..<length].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard stated == key.count, bytes[length..<(length + key.count)].elementsEqual(key) else { return nil }
        let instructions = Array(bytes[(length + key.count)...])
        return instructions.count % 8 == 0 && instructions.count / 8 <= FilterInstruction.programLimit
            ? instructions : nil
    }

    /// The folder, where nobody else can have put anything into it.
    private func openFolder() throws(KernelError) -> Descriptor {
        let path = "\(root)/\(Self.folder)"
        let folder = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        let facts = try folder.descriptor.status()
        guard facts.st_uid == geteuid(), facts.st_mode & 0o077 == 0 else {
            throw KernelError("use", path, .accessDenied)
        }
        return folder.release()
    }

    private func store(_ name: String, _ key: [UInt8], _ instructions: [UInt8]) {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: key.count >> ($0 * 8)) }
        let bytes = length + key + instructions
        guard bytes.count <= Self.fileLimitBytes else { return }
        do throws(KernelError) {
            try Directory.create("\(root)/\(Self.folder)", mode: 0o700)
            let folder = try openFolder()
            defer { folder.close() }
            let kept = try Directory.list(in: folder)
            // Far more profiles than a machine has: they are made up by somebody, and start anew.
            if kept.count >= Self.filesLimit { for old in kept { unlinkat(folder.rawValue, old, 0) } }
            try FileContents.replace(name, in: folder, with: bytes, durable: false)
        } catch {
            // A full or read-only disk: the next container makes its filter itself.
            return
        }
    }

    private static let fileLimitBytes = 1 << 20
    static let filesLimit = 64
}
