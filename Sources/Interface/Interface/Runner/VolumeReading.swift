import EngineAPI

/// Reads the volumes: the list at once, then what they take. For that an engine looks at each file of each, so it is asked
/// where a volume is new, and again where somebody wants to know.
actor VolumeReading {
    private let engine: any Engine
    private let mailbox: Mailbox
    /// By name; what was found stays with who shows it.
    private var measured: Set<String> = []

    init(engine: any Engine, mailbox: Mailbox) {
        self.engine = engine
        self.mailbox = mailbox
    }

    func read(measuringAll: Bool) async {
        // The engine's loss is told by the subscription that notices it first.
        guard var list = try? await engine.volumes(VolumeFilter()) else { return }
        mailbox.post(.volumes(list))
        // One that was removed and made again is another.
        measured = measuringAll ? [] : measured.intersection(list.map(\.spec.name))
        let names = Set(list.map(\.spec.name))
        // What an engine does not measure is shown without a size.
        guard !measured.isSuperset(of: names), let usage = try? await engine.diskUsage(of: [.volume]) else { return }
        measured = names
        let sizes = Dictionary(usage.volumes.map { ($0.spec.name, $0.sizeBytes) }, uniquingKeysWith: { $1 })
        for index in list.indices { list[index].sizeBytes = sizes[list[index].spec.name] ?? nil }
        mailbox.post(.volumes(list))
    }
}
