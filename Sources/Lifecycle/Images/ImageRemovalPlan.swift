import EngineAPI
import OCI

/// What docker's `rmi` does to an image, decided from what is known. Pure.
struct ImageRemovalPlan: Hashable {
    /// Full names to be removed.
    var names: [String]
    /// Whether the image itself goes.
    var deletesImage: Bool

    /// - Parameters:
    ///   - name: the full name that the image was called by; nil where it was called by its id.
    ///   - reference: what the person wrote.
    ///   - hasChildren: others were made from it, which are told of as such: its names can go, it stays.
    /// - Throws: `conflict` in docker's words.
    init(
        _ record: ImageRecord, name: String?, reference: String, force: Bool, uses: [ImageUse], hasChildren: Bool
    ) throws(EngineError) {
        let using = uses.filter { $0.imageID == record.id.description }
        // A digest's name goes with the last tag of its repository: nobody gave it, a pull did.
        let companions = name.map { Self.companions(of: $0, in: record) } ?? []
        if let name, record.names.count > 1 + companions.count {
            names = [name]
            deletesImage = false
            return
        }
        names = record.names
        if let name {
            if !force, let use = using.first {
                throw EngineError(
                    .conflict,
                    "conflict: unable to remove repository reference \"\(reference)\" (must force) - container "
                        + "\(use.containerID.prefix(12)) is using its referenced image \(record.id.short)",
                    object: reference)
            }
            names = [name] + companions
            // Forced away from a container that runs, the name goes, and the image stays without one.
            deletesImage = !hasChildren && !using.contains { $0.isRunning }
            return
        }
        if hasChildren {
            throw EngineError(
                .conflict,
                "conflict: unable to delete \(record.id.short) (cannot be forced) - image has dependent child images",
                object: reference)
        }
        if let use = using.first(where: { $0.isRunning }) {
            throw Self.conflict(record, "cannot be forced", "image is being used by running container", use, reference)
        }
        if !force, record.tagNames.count > 1 || record.repositories.count > 1 {
            throw EngineError(
                .conflict,
                "conflict: unable to delete \(record.id.short) (must be forced) - image is referenced in multiple "
                    + "repositories", object: reference)
        }
        if !force, let use = using.first {
            throw Self.conflict(record, "must be forced", "image is being used by stopped container", use, reference)
        }
        deletesImage = true
    }

    /// The names by digest in the repository of a tag, where it is the only tag there.
    private static func companions(of name: String, in record: ImageRecord) -> [String] {
        let repository = name.split(separator: "@")[0]
        guard !name.contains("@"), let colon = repository.lastIndex(of: ":") else { return [] }
        let path = repository[..<colon]
        let others = record.names.filter { $0 != name }
        guard !others.contains(where: { $0.hasPrefix("\(path):") }) else { return [] }
        return others.filter { $0.hasPrefix("\(path)@") }
    }

    /// That an image stays for the sake of a container.
    static func conflict(
        _ record: ImageRecord, _ remedy: String, _ reason: String, _ use: ImageUse, _ reference: String
    ) -> EngineError {
        EngineError(
            .conflict,
            "conflict: unable to delete \(record.id.short) (\(remedy)) - \(reason) \(use.containerID.prefix(12))",
            object: reference)
    }
}
