import ArgumentParser
import AsyncIO
import EngineAPI
import Glibc
import Linux

struct VolumeExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a volume's files as a tar archive.")
    @Option(name: [.customShort("o", allowingJoined: true), .long], help: "The file; standard output without it.")
    var output: String?
    @Argument var volume: String

    func run() async throws {
        if output == nil, Console.outputIsTerminal {
            throw UsageError(
                message: "cowardly refusing to save to a terminal. Use the -o flag or redirect", code: 1)
        }
        let stream = try await CommandEnvironment.connect().exportVolume(volume)
        let file = try output.map { try Descriptor.open($0, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600) }
        defer { file?.close() }
        for try await bytes in stream {
            guard let file else {
                guard await Console.pass(bytes, to: .standardOutput) else { return }
                continue
            }
            try await BlockingPool.shared.run { () throws(KernelError) in try file.writeAll(bytes) }
        }
    }
}

struct VolumeImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Add the files of a tar archive to a volume.")
    @Argument var volume: String
    @Argument(help: "The archive, plain or compressed; - for standard input.") var source: String

    func run() async throws {
        let file = source == "-" ? Descriptor.standardInput : try Descriptor.open(source, O_RDONLY)
        defer { if source != "-" { file.close() } }
        let stream = EngineStream<[UInt8]> {
            let bytes = try await BlockingPool.shared.run { () throws(KernelError) -> [UInt8] in
                var buffer = [UInt8](repeating: 0, count: 131_072)
                return Array(buffer[..<(try file.read(into: &buffer))])
            }
            return bytes.isEmpty ? nil : bytes
        }
        try await CommandEnvironment.connect().importVolume(volume, archive: stream)
    }
}
