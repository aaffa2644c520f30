import Archive
import ArgumentParser
import AsyncIO
import EngineAPI
import Glibc
import Linux

struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files between a container and this machine.",
        usage: "gantry cp [OPTIONS] CONTAINER:PATH DEST|-\n       gantry cp [OPTIONS] SOURCE|- CONTAINER:PATH")
    @Flag(name: [.short, .long], help: "Keep owners.") var archive = false
    @Flag(name: [.customShort("L"), .long], help: "Copy what a link leads to.") var followLink = false
    @Flag(name: [.short, .long], help: "Accepted for scripts.") var quiet = false
    @Argument var source: String
    @Argument var destination: String

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        switch (CopyPlace(source), CopyPlace(destination)) {
        case (.container(let reference, let path), .local(let target)):
            try await CopyOut(engine: engine, reference: reference, path: path, target: target, options: self).run()
        case (.local(let path), .container(let reference, let target)):
            try await CopyIn(engine: engine, reference: reference, path: path, target: target, options: self).run()
        case (.container, .container):
            throw UsageError(message: "copying between containers is not supported", code: 1)
        case (.local, .local):
            throw UsageError(message: "must specify at least one container source", code: 1)
        }
    }
}

/// One side of a copy: `NAME:PATH`, or a path of this machine where a slash or a dot comes first, or there is no colon.
enum CopyPlace: Hashable {
    case local(String)
    case container(String, String)

    init(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("/"), !text.hasPrefix(".") else {
            self = .local(text)
            return
        }
        self = .container(String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}

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

private struct CopyOut {
    let engine: any Engine
    let reference: String
    let path: String
    let target: String
    let options: CopyCommand

    func run() async throws {
        var path = path
        if options.followLink, let link = try await engine.statPath(reference, path: path).linkTarget { path = link }
        let archive = try await engine.copyOut(reference, path: path)
        guard target != "-" else {
            for try await bytes in archive.bytes {
                guard try await Console.pass(bytes, to: .standardOutput) else { return }
            }
            return
        }
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
        let owner: (Int64, Int64)? = options.archive ? nil : (Int64(getuid()), Int64(getgid()))
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

private struct CopyIn {
    let engine: any Engine
    let reference: String
    let path: String
    let target: String
    let options: CopyCommand

    func run() async throws {
        var settings = CopyOptions()
        settings.keepsKinds = true
        settings.takesOwner = false
        guard path != "-" else {
            return try await engine.copyIn(reference, path: target, archive: Self.input, options: settings)
        }
        var source = path
        if options.followLink, let real = LocalPath.resolved(path) { source = real }
        guard let isDirectory = LocalPath.isDirectory(source, followingLinks: options.followLink) else {
            throw UsageError(message: "lstat \(path): no such file or directory", code: 1)
        }
        let takesContents = isDirectory && source.hasSuffix("/.")
        let (directory, name) = PathName.split(PathName.cleaned(LocalPath.absolute(source)))
        let place = try CopyTarget(
            source: name, isDirectory: isDirectory, takesContents: takesContents, to: try await followed(target),
            existing: try await kind(of: target))
        let member = place.name ?? "."
        let keepsOwner = options.archive
        let bytes = try ByteBridge.produced { sink in
            let top = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY))
            let writer = TarWriter { (bytes) throws(ArchiveError) in
                do throws(KernelError) { try sink.sendAll(bytes) } catch { throw .kernel(error) }
            }
            let archiver = TreeArchiver(top: top.descriptor, to: writer)
            if !keepsOwner { archiver.owner = (0, 0) }
            try archiver.append(name, as: member)
            try writer.finish()
        }
        try await engine.copyIn(
            reference, path: place.directory, archive: EngineStream { try await bytes.next() }, options: settings)
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

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 else {
            throw UsageError(message: "mkdir \(path): \(String(cString: strerror(errno)))", code: 1)
        }
    }
}

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "List what a container has changed of its image: A added, C changed, D deleted.")
    @Argument var container: String

    func run() async throws {
        for change in try await CommandEnvironment.connect().changes(container) {
            let letter =
                switch change.kind {
                case .modified: "C"
                case .added: "A"
                case .deleted: "D"
                }
            Console.out("\(letter) \(change.path)\n")
        }
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a container's files as a tar archive.")
    @OptionGroup var output: ArchiveOutput
    @Argument var container: String

    func run() async throws {
        try output.refuseTerminal()
        try await output.write(try await CommandEnvironment.connect().export(container))
    }
}

struct ContainerPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove all containers that do not run.")
    @Flag(name: [.short, .long], help: "Do not ask.") var force = false
    @Option(parsing: .unconditionalSingleValue, help: "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE].")
    var filter: [String] = []

    func run() async throws {
        let filter = try wanted()
        if !force {
            Console.error(
                "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ")
            guard readLine()?.lowercased() == "y" else { return }
        }
        let result = try await CommandEnvironment.connect().pruneContainers(filter)
        if !result.removed.isEmpty {
            Console.out("Deleted Containers:\n" + result.removed.map { $0 + "\n" }.joined() + "\n")
        }
        Console.out("Total reclaimed space: \(Units.decimal(result.reclaimedBytes))\n")
    }

    private func wanted() throws -> PruneFilter {
        var wanted = PruneFilter()
        for text in filter {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw UsageError(value: text, of: "--filter", "bad format of filter (expected name=value)")
            }
            switch parts[0] {
            case "until": wanted.until = try Moment.parse(parts[1], "--filter")
            case "label": wanted.labels.append(parts[1])
            case "label!": wanted.withoutLabels.append(parts[1])
            default: throw UsageError(message: "invalid filter '\(parts[0])'", code: 1)
            }
        }
        return wanted
    }
}
