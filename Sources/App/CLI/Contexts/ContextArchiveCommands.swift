import DockerAPI
import EngineAPI
import Glibc
import Linux

struct ContextExportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a context to a file, for another machine.",
        discussion: "The file holds the context's keys.")
    @Argument("CONTEXT") var name: String
    @Argument("FILE|-") var file: String?

    func run() async throws {
        let store = try EngineChooser.current().store
        let archive = ContextArchive(try store.find(name), secrets: try store.secrets(name))
        let path = file ?? "\(name).dockercontext"
        guard path != "-" else {
            guard !Console.outputIsTerminal else {
                throw UsageError(message: "cowardly refusing to export to a terminal, specify a file path", code: 1)
            }
            return try Descriptor.standardOutput.writeAll(archive.bytes)
        }
        do throws(KernelError) {
            // Never over another file: docker refuses that, too.
            let opened = OwnedDescriptor(try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600))
            try opened.descriptor.writeAll(archive.bytes)
        } catch {
            throw UsageError(message: "export the context to `\(path)`: \(error)", code: 1)
        }
        Console.error("Written file \"\(path)\"\n")
    }
}

struct ContextImportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a context of a file that an export has written.")
    @Argument("CONTEXT") var name: String
    @Argument("FILE|-") var file: String

    private static let limitBytes = 64 << 20

    func run() async throws {
        let store = try EngineChooser.current().store
        try store.checkFree(name)
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes =
                file == "-"
                ? try Descriptor.standardInput.readAll(limitBytes: Self.limitBytes)
                : try FileContents.read(file, limitBytes: Self.limitBytes)
        } catch {
            throw UsageError(message: "read `\(file)`: \(error)", code: 1)
        }
        let archive = try ContextArchive(parsing: bytes, name: name)
        if !archive.context.host.isEmpty { _ = try EngineAddress(archive.context.host) }
        try store.write(archive.context, secrets: archive.secrets)
        Console.out("\(name)\n")
        Console.error("Successfully imported context \"\(name)\"\n")
    }
}
