import EngineAPI
import OCI

/// Finds an image by what a person calls it, in docker's order: whole id, name, prefix of an id.
struct ImageLookup {
    let records: [Digest: ImageRecord]

    func resolve(_ text: String) throws(EngineError) -> ImageRecord {
        if let record = byWholeID(text) { return record }
        let reference: Reference?
        var complaint: ReferenceError?
        do throws(ReferenceError) { reference = try Reference(text) } catch {
            reference = nil
            complaint = error
        }
        if let reference, let record = byName(reference) { return record }
        if let record = try byPrefix(text) { return record }
        if let complaint {
            if case .looksLikeID = complaint { throw .noSuchImage(text) }
            guard !Self.isID(text) else { throw .noSuchImage(text) }
            throw EngineError(.invalid, complaint.description, object: text)
        }
        throw EngineError(
            .notFound, "No such image: \(reference?.withDefaultTag.familiar ?? text)", object: text)
    }

    /// The full name by which `text` names the record; nil where it does so by the id.
    func name(of record: ImageRecord, in text: String) -> String? {
        if byWholeID(text) != nil { return nil }
        do throws(ReferenceError) {
            let reference = try Reference(text)
            guard byName(reference)?.id == record.id else { return nil }
            if reference.digest == nil { return reference.withDefaultTag.description }
            return record.names.contains(reference.description) ? reference.description : nil
        } catch { return nil }
    }

    /// The ids of the images that were made from that one, or from one that was.
    func descendants(of id: String) -> Set<String> {
        let children = Dictionary(grouping: records.values) { $0.parent?.description }
        var found: Set<String> = []
        var next = [id]
        while let parent = next.popLast() {
            for child in (children[parent] ?? []).map(\.id.description) where found.insert(child).inserted {
                next.append(child)
            }
        }
        return found
    }

    private func byWholeID(_ text: String) -> ImageRecord? {
        (Digest(text) ?? Digest(.sha256, hex: text)).flatMap { records[$0] }
    }

    private func byName(_ reference: Reference) -> ImageRecord? {
        if let digest = reference.digest {
            // `name:tag@digest`: the digest decides, as docker has it.
            return records.values.first { record in
                record.names.contains("\(reference.name)@\(digest)")
                    || (record.manifest == digest && record.repositories.contains(reference.name))
            }
        }
        let name = reference.withDefaultTag.description
        return records.values.first { $0.names.contains(name) }
    }

    private func byPrefix(_ text: String) throws(EngineError) -> ImageRecord? {
        guard Self.isID(text) else { return nil }
        let found = records.values.filter { $0.id.hex.hasPrefix(text) || $0.id.description.hasPrefix(text) }
        guard found.count < 2 else {
            throw EngineError(.invalid, "multiple IDs found with provided prefix: \(text)", object: text)
        }
        return found.first
    }

    private static func isID(_ text: String) -> Bool {
        let algorithm = Digest.Algorithm.allCases.first { text.hasPrefix("\($0.rawValue):") }
        let digits = text.dropFirst(algorithm.map { $0.rawValue.utf8.count + 1 } ?? 0)
        return !digits.isEmpty && digits.utf8.count <= (algorithm ?? .sha512).hexDigits
            && digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}

extension ImageRecord {
    /// The names without tags: `docker.io/library/alpine`.
    var repositories: Set<String> {
        Set(
            names.compactMap { name in
                do throws(ReferenceError) { return try Reference(name).name } catch { return nil }
            })
    }
}
