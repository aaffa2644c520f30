import EngineAPI

struct VolumeExportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a volume's files as a tar archive.")
    @OptionGroup var output: ArchiveOutput
    @Argument("VOLUME") var volume: String

    func run() async throws {
        try output.refuseTerminal()
        try await output.write(try await CommandEnvironment.connect().exportVolume(volume))
    }
}

struct VolumeImportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Add the files of a tar archive to a volume.")
    @Argument("VOLUME") var volume: String
    @Argument("FILE|-") var source: String

    func run() async throws {
        let stream = try EngineStream.archive(at: source)
        try await CommandEnvironment.connect().importVolume(volume, archive: stream)
    }
}
