import Archive
import EngineAPI
import JSON
import Linux

/// A context as `docker context export` writes it and `import` reads it: a tar archive of the store's `meta.json` and of
/// `tls/ENDPOINT/FILE`.
package struct ContextArchive: Sendable {
    package var context: StoredContext
    /// Contents by `ENDPOINT/FILE`.
    package var secrets: [String: [UInt8]]

    /// Docker takes no longer file either.
    private static let fileLimitBytes = 10 << 20
    private static let metadataName = "meta.json"

    package init(_ context: StoredContext, secrets: [String: [UInt8]]) {
        self.context = context
        self.secrets = secrets
    }

    /// The archive's bytes; the same ones for the same context.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        let writer = TarWriter<Never> { output += $0 }
        func put(_ path: String, _ kind: TarMember.Kind, mode: UInt32, _ contents: [UInt8] = []) {
            var member = TarMember(path, kind, mode: mode)
            member.sizeBytes = UInt64(contents.count)
            writer.append(member, contents)
        }
        put(Self.metadataName, .file, mode: 0o644, context.body.compactBytes)
        put("tls", .directory, mode: 0o700)
        var lastEndpoint = ""
        for (path, contents) in secrets.sorted(by: { $0.key < $1.key }) {
            let endpoint = PathName.split(path).parent
            if endpoint != lastEndpoint { put("tls/\(endpoint)", .directory, mode: 0o700) }
            lastEndpoint = endpoint
            put("tls/\(path)", .file, mode: 0o600, contents)
        }
        writer.finish()
        return output
    }

    /// Reads an archive, for a context of another name.
    ///
    /// - Throws: `invalid` for what docker does not take either: a file of another place, one too long, no `meta.json`.
    package init(parsing bytes: [UInt8], name: String) throws(EngineError) {
        var metadata: JSONValue?
        secrets = [:]
        do throws(ArchiveError) {
            let limits = UnpackLimits(bytes: 64 << 20, entries: 1000)
            let reader = try TarReader(ByteInput(bytes), limits: limits)
            var isCut = false
            while !isCut, let entry = try reader.next() {
                guard entry.kind == .file else { continue }
                let path = String(decoding: entry.path, as: UTF8.self)
                let contents: [UInt8]
                (contents, isCut) = try Self.contents(reader, path, entry.sizeBytes)
                if path == Self.metadataName {
                    metadata = try Self.metadata(contents)
                } else {
                    let place = try Self.secretPath(path)
                    secrets[place] = contents
                }
            }
        } catch {
            throw EngineError(.invalid, "\(error)", object: name)
        }
        guard var object = metadata?.object else {
            throw EngineError(.invalid, "invalid context: no metadata found", object: name)
        }
        object["Name"] = .string(name)
        context = StoredContext(.object(object))
    }

    /// All of a member, and whether nothing comes after its last byte: docker ends its archives so, without what a tar
    /// archive ends with.
    private static func contents(
        _ reader: TarReader, _ path: String, _ count: Int64
    ) throws(ArchiveError) -> ([UInt8], isCut: Bool) {
        var contents: [UInt8] = []
        do throws(ArchiveError) {
            try reader.forEachPiece { (piece, _) throws(ArchiveError) in
                guard contents.count + piece.count <= fileLimitBytes else {
                    throw .tooLarge("`\(path)` is longer than \(fileLimitBytes) bytes")
                }
                contents.append(contentsOf: piece)
            } failure: {
                $0
            }
        } catch {
            guard error == .truncated, contents.count == Int(count) else { throw error }
            return (contents, true)
        }
        return (contents, false)
    }

    private static func metadata(_ contents: [UInt8]) throws(ArchiveError) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: contents) } catch {
            throw .refused(path: metadataName, reason: "\(error)")
        }
    }

    /// Three plain names, so that no file goes elsewhere than below its context.
    private static func secretPath(_ path: String) throws(ArchiveError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.first == "tls" else { throw .refused(path: path, reason: "unexpected context file") }
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }
        guard parts.count == 3, isPlain else { throw .refused(path: path, reason: "unexpected path format") }
        return parts.dropFirst().joined(separator: "/")
    }
}

/// An archive that is in memory.
private final class ByteInput: ArchiveInput {
    private let bytes: UnsafeMutableRawBufferPointer
    private var isRead = false

    init(_ source: [UInt8]) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 1)
        bytes.copyBytes(from: source)
    }

    deinit { bytes.deallocate() }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        defer { isRead = true }
        return UnsafeRawBufferPointer(isRead ? UnsafeMutableRawBufferPointer(rebasing: bytes[..<0]) : bytes)
    }
}
