import EngineAPI

/// An image's sections.
extension InspectScreen {
    /// - Parameter history: how it was made, the newest step first.
    init(_ image: ImageDetails, _ history: [ImageHistoryStep], name: String) {
        let summary = image.summary
        self.init(
            name, id: summary.id,
            [
                Section(title: "image", entries: Self.identity(image)),
                Section(title: "process", entries: Self.process(image)),
                Section(title: "environment", entries: image.environment.map(Self.splitVariable)),
                Section(title: "labels", entries: Self.pairs(summary.labels)),
                Section(title: "history, newest first", entries: history.map(Self.step)),
                Section(title: "layers, lowest first", entries: image.layers.map { ("", $0) }),
            ])
    }

    private static func identity(_ image: ImageDetails) -> [(name: String, value: String)] {
        let summary = image.summary
        let platform = [image.os, image.architecture, image.variant ?? ""].filter { !$0.isEmpty }
        var entries = [("id", summary.id)]
        entries += summary.tags.map { ("name", $0) } + summary.digests.map { ("digest", $0) }
        if let time = summary.createdAt { entries.append(("created", time.rfc3339Nano)) }
        entries += [
            ("size", Quantity.decimalBytes(summary.sizeBytes)), ("platform", platform.joined(separator: "/")),
            ("author", image.author), ("comment", image.comment),
        ]
        return entries.filter { !$0.1.isEmpty }
    }

    /// What a container of it runs where nobody asks for anything else.
    private static func process(_ image: ImageDetails) -> [(name: String, value: String)] {
        func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }
        let entries = [
            ("entrypoint", line(image.entrypoint)), ("command", line(image.command)),
            ("directory", image.workingDirectory), ("user", image.user.isEmpty ? "root" : image.user),
            ("ports", image.exposedPorts.joined(separator: " ")), ("volumes", image.volumes.joined(separator: " ")),
            ("stop signal", image.stopSignal ?? ""),
        ]
        return entries.filter { !$0.1.isEmpty } + (image.healthCheck.map(command) ?? [])
    }

    private static func step(_ step: ImageHistoryStep) -> (name: String, value: String) {
        let made = step.createdBy.split(whereSeparator: \.isNewline).joined(separator: " ")
        return (Quantity.decimalBytes(step.sizeBytes), made.isEmpty ? step.comment : made)
    }
}
