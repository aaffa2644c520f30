import CSeccomp
import Glibc
import JSON
import Linux
import OCI

/// Filters kept from one container to the next, since making one takes longer than making the container.
///
/// A file holds the profile's whole text before the program: a hit is a profile that is the same byte for byte, so
/// neither a collision of hashes nor a file for another libseccomp can give a container the wrong filter. The folder and
/// its files are root's own and closed to others, which is checked on the open descriptor before a file is believed.
struct SeccompCache {
    /// A folder of this name lies in the runtime's root; `@` cannot be in a container's id.
    static let folder = "seccomp@3"
    let root: String

    /// - Parameter noted: the file that a container's filter was in before: while it is that, its text need not be compared.
    func filter(for profile: LinuxSeccomp, noted: FilterFile? = nil) throws(RuntimeError) -> SeccompFilter {
        let listener = try SeccompListener(profile)
        let flags = try SeccompFilter.flags(of: profile, listener)
        if let noted, let stored = stored(noted.name), stored.file == noted, let program = stored.program {
            return SeccompFilter(instructions: program, flags: flags, listener: listener, file: noted)
        }
        let key = Array("\(Self.version)\n".utf8) + profile.json.compactBytes
        let name = Self.name(for: key)
        if let stored = stored(name), stored.key?.elementsEqual(key) == true, let program = stored.program {
            return SeccompFilter(instructions: program, flags: flags, listener: listener, file: stored.file)
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
        let file = store(name, key, instructions)
        return SeccompFilter(instructions: instructions, flags: flags, listener: listener, file: file)
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

    /// What a file holds.
    private struct Stored {
        let file: FilterFile
        let bytes: [UInt8]

        private var keyEnd: Int? {
            let length = MemoryLayout<UInt32>.size
            guard bytes.count > length else { return nil }
            let end = bytes[..<length].reversed().reduce(0) { $0 << 8 | Int($1) } + length
            return end < bytes.count ? end : nil
        }

        /// The text that the program was made of.
        var key: ArraySlice<UInt8>? { keyEnd.map { bytes[MemoryLayout<UInt32>.size..<$0] } }

        var program: [UInt8]? {
            guard let keyEnd else { return nil }
            let instructions = Array(bytes[keyEnd...])
            return instructions.count % 8 == 0 && instructions.count / 8 <= FilterInstruction.programLimit
                ? instructions : nil
        }
    }

    /// Nil for anything that is not a file as this program would have written it: the filter is then made anew.
    private func stored(_ name: String) -> Stored? {
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
        return Stored(file: FilterFile(name: name, facts), bytes: bytes)
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

    /// The file; nil where it could not be kept: on a full or read-only disk the next container makes its filter itself.
    private func store(_ name: String, _ key: [UInt8], _ instructions: [UInt8]) -> FilterFile? {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: key.count >> ($0 * 8)) }
        let bytes = length + key + instructions
        guard bytes.count <= Self.fileLimitBytes else { return nil }
        do throws(KernelError) {
            try Directory.create("\(root)/\(Self.folder)", mode: 0o700)
            let folder = try openFolder()
            defer { folder.close() }
            let kept = try Directory.list(in: folder)
            // Far more profiles than a machine has: they are made up by somebody, and start anew.
            if kept.count >= Self.filesLimit { for old in kept { unlinkat(folder.rawValue, old, 0) } }
            try FileContents.replace(name, in: folder, with: bytes, durable: false)
            let file = OwnedDescriptor(try folder.open(name, O_PATH | O_NOFOLLOW))
            return FilterFile(name: name, try file.descriptor.status())
        } catch {
            return nil
        }
    }

    private static let fileLimitBytes = 1 << 20
    static let filesLimit = 64
}
