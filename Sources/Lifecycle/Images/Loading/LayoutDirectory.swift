import Content
import EngineAPI
import Glibc
import Linux
import OCI

/// An OCI image layout as a directory, as skopeo and umoci write it. Blobs are copied into the store when asked for.
struct LayoutDirectory: ImageSource {
    let path: String
    let job: LoadJob

    var baseName: String? {
        let name = PathName.split(path).name
        return name.isEmpty || name == "." || name == "/" ? nil : name
    }

    func document(_ document: SourceDocument) throws(EngineError) -> [UInt8]? {
        do throws(KernelError) {
            return try FileContents.read("\(path)/\(document.rawValue)", limitBytes: document.limitBytes)
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw EngineError(error, doing: "load")
        }
    }

    func blob(at name: String) throws(EngineError) -> Digest? {
        let parts = name.split(separator: "/")
        let expected = parts.count == 3 ? Digest("\(parts[1]):\(parts[2])") : nil
        if let expected {
            job.lease.pin(expected)
            if job.content.contains(expected) { return expected }
        }
        let file: Descriptor
        do throws(KernelError) {
            file = try Descriptor.open("\(path)/\(ArchiveSource.cleaned(name))", O_RDONLY)
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw EngineError(error, doing: "load")
        }
        let owned = OwnedDescriptor(file)
        return try ingest(owned.descriptor, expected)
    }

    private func ingest(_ file: Descriptor, _ expected: Digest?) throws(EngineError) -> Digest {
        let writer = try written(file, expected)
        // Then it may be a part of it.
        try job.checkIsWanted()
        do throws(ContentError) { return try writer.commit(expected: expected, lease: job.lease) } catch {
            throw EngineError(error, doing: "load")
        }
    }

    private func written(_ file: Descriptor, _ expected: Digest?) throws(EngineError) -> BlobWriter {
        do throws(ContentError) {
            let writer = try job.content.beginIngest(expected?.algorithm ?? .sha256)
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            while !job.isOver {
                let count: Int
                do throws(KernelError) { count = try file.read(into: &chunk) } catch { throw .kernel(error) }
                if count == 0 { break }
                try chunk.withUnsafeBufferPointer { (buffer) throws(ContentError) in
                    try writer.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
                }
            }
            return writer
        } catch { throw EngineError(error, doing: "load") }
    }
}
