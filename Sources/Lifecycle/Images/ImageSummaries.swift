import EngineAPI
import Glibc
import OCI

extension ImageRecord {
    /// Without the count of containers, which the engine knows.
    package var summary: ImageSummary {
        var tags: [String] = []
        var digests: Set<String> = []
        for name in names {
            do throws(ReferenceError) {
                let reference = try Reference(name)
                if reference.digest == nil { tags.append(reference.familiar) }
                digests.insert(
                    "\(reference.familiarName)@\(reference.digest ?? indexDigest(reference.name) ?? manifest)")
            } catch {
                tags.append(name)
            }
        }
        var summary = ImageSummary(
            id: id.description, tags: tags.sorted(), digests: digests.sorted(), createdAt: config.created,
            sizeBytes: sizeBytes, labels: config.execution.labels.dictionary)
        summary.parentID = parent?.description
        return summary
    }

    /// An image without a time is as old as can be.
    var createdAt: Timestamp { config.created ?? Timestamp(nanosecondsSinceEpoch: 0) }

    /// The digest by which a pull knew the image in that repository, where an index led to it.
    private func indexDigest(_ repository: String) -> Digest? {
        let name = names.first { $0.hasPrefix("\(repository)@") }
        return name.flatMap { Digest($0.dropFirst(repository.utf8.count + 1)) }
    }

    package var details: ImageDetails {
        var details = ImageDetails(
            summary: summary, architecture: config.platform.architecture, os: config.platform.os)
        let execution = config.execution
        details.variant = config.platform.variant
        details.author = config.author
        // As docker: of an image that says nothing of itself, what its last step says.
        details.comment = config.comment.isEmpty ? config.history.last?.comment ?? "" : config.comment
        details.entrypoint = execution.entrypoint
        details.command = execution.command
        details.environment = execution.environment
        details.workingDirectory = execution.workingDirectory
        details.user = execution.user
        details.exposedPorts = execution.exposedPorts
        details.volumes = execution.volumes
        details.stopSignal = execution.stopSignal
        details.healthCheck = execution.healthCheck
        details.triggers = (execution.other["OnBuild"]?.array ?? []).compactMap(\.string)
        details.layers = layers.map(\.diffID.description)
        details.taggedAt = taggedAt
        return details
    }
}

/// Docker's filters over images.
struct ImageMatching {
    let filter: ImageFilter
    /// Images that others were made from.
    private let parents: Set<Digest>
    private var before: Timestamp?
    private var since: Timestamp?

    /// - Throws: `notFound` for an image of `before` or `since`.
    init(filter: ImageFilter, records: [Digest: ImageRecord]) throws(EngineError) {
        self.filter = filter
        parents = Set(records.values.compactMap(\.parent))
        let lookup = ImageLookup(records: records)
        if let reference = filter.before { before = try lookup.resolve(reference).createdAt }
        if let reference = filter.since { since = try lookup.resolve(reference).createdAt }
    }

    func matches(_ record: ImageRecord) -> Bool {
        guard matchesNaming(record) else { return false }
        let labels = record.config.execution.labels
        guard filter.labels.allSatisfy({ Self.holds($0, labels) }),
            !filter.withoutLabels.contains(where: { Self.holds($0, labels) })
        else { return false }
        let created = record.createdAt
        guard before.map({ created < $0 }) ?? true, since.map({ created > $0 }) ?? true,
            filter.until.map({ created < $0 }) ?? true
        else { return false }
        return filter.references.isEmpty
            || filter.references.contains { pattern in record.names.contains { matches(pattern: pattern, $0) } }
    }

    /// One that others were made from is no loose end: without a name it is listed where all are asked for, and dangling it
    /// is never.
    private func matchesNaming(_ record: ImageRecord) -> Bool {
        let isParent = parents.contains(record.id)
        if isParent, record.names.isEmpty, !filter.all { return false }
        return filter.dangling.map { $0 == (record.isDangling && !(isParent && $0)) } ?? true
    }

    /// An image as it is listed: of its names those alone that were asked for.
    func summary(of record: ImageRecord) -> ImageSummary {
        var summary = record.summary
        guard !filter.references.isEmpty else { return summary }
        func isMeant(_ name: String) -> Bool { filter.references.contains { matches(pattern: $0, name) } }
        summary.tags = summary.tags.filter(isMeant)
        let repositories = Set(summary.tags.map { $0[..<($0.lastIndex(of: ":") ?? $0.endIndex)] })
        summary.digests = summary.digests.filter { name in
            repositories.contains(name[..<(name.firstIndex(of: "@") ?? name.endIndex)]) || isMeant(name)
        }
        return summary
    }

    private static func holds(_ wanted: String, _ labels: TextMap) -> Bool {
        let parts = wanted.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let value = labels[parts[0]] else { return false }
        return parts.count == 1 || value == parts[1]
    }

    /// A glob over the familiar name with or without its tag, in which `*` stops at a slash.
    private func matches(pattern: String, _ name: String) -> Bool {
        let familiar: [String]
        do throws(ReferenceError) {
            let reference = try Reference(name)
            familiar = [reference.familiar, reference.familiarName]
        } catch { familiar = [name] }
        return familiar.contains { fnmatch(pattern, $0, Int32(FNM_PATHNAME)) == 0 }
    }
}
