import Archive
import AsyncIO
import EngineAPI
import Glibc
import Linux

/// Where a copy goes, by the rules of cp(1) as docker has them.
struct CopyTarget: Hashable {
    /// An existing directory.
    let directory: String
    /// The name of what is copied, in it; nil where only the contents are.
    let name: String?

    /// - Parameters:
    ///   - isDirectory: of the source; `takesContents` where its path ends in `/.`.
    ///   - existing: whether the target is a directory; nil where there is nothing.
    /// - Throws: docker's words for what cannot be.
    init(
        source name: String, isDirectory: Bool, takesContents: Bool, to target: String, existing: Bool?
    ) throws {
        let (parent, last) = PathName.split(target)
        switch existing {
        case true:
            (directory, self.name) = (target, takesContents ? nil : name)
        case false:
            if isDirectory { throw UsageError(message: "cannot copy directory", code: 1) }
            (directory, self.name) = (parent, last)
        case nil:
            if !isDirectory, target.hasSuffix("/") {
                throw UsageError(message: "no such directory: \(target)", code: 1)
            }
            (directory, self.name) = (parent, last)
        }
    }
}

/// Copies between a container and this machine.
package struct ContainerCopy: Sendable {
    let engine: any Engine
    let reference: String
    let keepsOwners: Bool
    let followsLinks: Bool

    /// - Parameters:
    ///   - keepsOwners: else all belongs to who copies, in the container to root.
    ///   - followsLinks: what a link leads to is copied, and not the link.
    package init(engine: any Engine, reference: String, keepsOwners: Bool = false, followsLinks: Bool = false) {
        self.engine = engine
        self.reference = reference
        self.keepsOwners = keepsOwners
        self.followsLinks = followsLinks
    }

    /// A path of the container as an archive to standard output.
    func pass(_ path: String) async throws {
        for try await bytes in try await source(path).bytes {
            guard try await Console.pass(bytes, to: .standardOutput) else { return }
        }
    }

    private func source(_ path: String) async throws -> PathArchive {
        var path = path
        if followsLinks, let link = try await engine.statPath(reference, path: path).linkTarget { path = link }
        return try await engine.copyOut(reference, path: path)
    }

    /// To a path of this machine, by the rules of cp(1) as docker has them.
    package func out(_ path: String, to target: String) async throws {
        // A link of this machine is written through, as docker does, also to where nothing is yet.
        let target = try LocalPath.destination(target)
        try LocalPath.refuseSpecial(target)
        let archive = try await source(path)
        let isDirectory = archive.stat.isDirectory
        let existing = LocalPath.isDirectory(target)
        let takesContents = isDirectory && (path.hasSuffix("/.") || archive.stat.name == "/")
        let place = try CopyTarget(
            source: archive.stat.name, isDirectory: isDirectory, takesContents: takesContents, to: target,
            existing: existing)
        // The contents of a directory that is to be made need it first.
        if takesContents, existing == nil { try LocalPath.makeDirectory(target) }
        let directory = takesContents && existing == nil ? target : place.directory
        let name = takesContents ? nil : place.name
        let owner: (Int64, Int64)? = keepsOwners ? nil : (Int64(getuid()), Int64(getgid()))
        let stream = archive.bytes
        try await ByteBridge.consumed({ try await stream.next() }) { source in
            let root = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY))
            let limits = UnpackLimits()
            let reader = try TarReader(
                InflatingInput(DescriptorInput(source), hash: nil, limits: limits), limits: limits)
            let placement = LayerApplier.Placement(into: ".", topName: name, keepsKinds: true, owner: owner)
            try LayerApplier(root: root.descriptor, placement: placement).apply(reader)
            var rest = [UInt8](repeating: 0, count: 65536)
            while try source.read(into: &rest) > 0 {}
        }
    }
}

extension ContainerCopy {
    /// Standard input, an archive, into a directory of the container.
    func unpackInput(to target: String) async throws {
        try await engine.copyIn(reference, path: target, archive: Self.input, options: Self.settings)
    }

    private static var settings: CopyOptions {
        var settings = CopyOptions()
        settings.keepsKinds = true
        settings.takesOwner = false
        return settings
    }

    /// From a path of this machine, by the same rules.
    package func into(_ target: String, from path: String) async throws {
        var source = path
        if followsLinks, let real = LocalPath.resolved(path) { source = real }
        guard let isDirectory = LocalPath.isDirectory(source, followingLinks: followsLinks) else {
            throw UsageError(message: "lstat \(path): no such file or directory", code: 1)
        }
        let takesContents = isDirectory && source.hasSuffix("/.")
        let (directory, name) = PathName.split(PathName.cleaned(LocalPath.absolute(source)))
        let place = try CopyTarget(
            source: name, isDirectory: isDirectory, takesContents: takesContents, to: try await followed(target),
            existing: try await kind(of: target))
        let member = place.name ?? "."
        let keepsOwner = keepsOwners
        let bytes = try ByteBridge.produced { sink in
            let top = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY))
            let writer = TarWriter { (bytes) throws(ArchiveError) in
                do throws(KernelError) { try sink.sendAll(bytes) } catch { throw .kernel(error) }
            }
            let archiver = TreeArchiver(top: top.descriptor, to: writer)
            if !keepsOwner { archiver.owners = { _ in (0, 0) } }
            try archiver.append(name, as: member)
            try writer.finish()
        }
        try await engine.copyIn(
            reference, path: place.directory, archive: EngineStream { try await bytes.next() }, options: Self.settings)
    }

    /// Where a link in the container leads, which is what is copied to.
    private func followed(_ path: String) async throws -> String {
        do throws(EngineError) {
            return try await engine.statPath(reference, path: path).linkTarget ?? path
        } catch {
            // What is not there is no link.
            if error.kind == .notFound { return path }
            throw error
        }
    }

    private func kind(of path: String) async throws -> Bool? {
        let real = try await followed(path)
        do throws(EngineError) {
            return try await engine.statPath(reference, path: real).isDirectory
        } catch {
            if error.kind == .notFound, !error.message.contains("No such container") { return nil }
            throw error
        }
    }

    private static var input: EngineStream<[UInt8]> {
        EngineStream {
            try await BlockingPool.shared.run { () throws(KernelError) -> [UInt8]? in
                var chunk = [UInt8](repeating: 0, count: 1 << 17)
                let count = try Descriptor.standardInput.read(into: &chunk)
                return count > 0 ? Array(chunk[..<count]) : nil
            }
        }
    }
}

/// Paths of this machine.
private enum LocalPath {
    /// Nil where there is nothing.
    static func isDirectory(_ path: String, followingLinks: Bool = true) -> Bool? {
        var facts = stat()
        let status = followingLinks ? stat(path, &facts) : lstat(path, &facts)
        return status == 0 ? facts.st_mode & S_IFMT == S_IFDIR : nil
    }

    static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// `dir/.` means the directory itself.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return (resolved(".") ?? "/") + "/" + path
    }

    /// Where a link leads that is the last part of a path; any other path as it is.
    static func destination(_ path: String) throws -> String {
        var place = path
        // As many as the kernel follows.
        for _ in 0..<40 {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(place, &buffer, buffer.count)
            guard count > 0 else { return place }
            let target = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
            place = target.hasPrefix("/") ? target : "\(PathName.split(place).parent)/\(target)"
        }
        throw UsageError(message: "\(path): too many levels of symbolic links", code: 1)
    }

    /// - Throws: docker's words for what a copy would take the place of, and is neither directory nor file.
    static func refuseSpecial(_ path: String) throws(UsageError) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return }
        let kind = facts.st_mode & S_IFMT
        guard kind != S_IFREG, kind != S_IFDIR else { return }
        let got = kind == S_IFBLK || kind == S_IFCHR ? "a device" : "an irregular file"
        throw UsageError(
            message: "invalid output path: \"\(path)\" must be a directory or a regular file: got \(got)", code: 1)
    }

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 else {
            throw UsageError(message: "mkdir \(path): \(String(cString: strerror(errno)))", code: 1)
        }
    }
}
