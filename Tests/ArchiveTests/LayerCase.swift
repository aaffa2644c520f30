import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI

/// A directory that layers are applied to.
final class LayerCase {
    let temporary: TemporaryRoot
    let root: String

    init(onTmpfs: Bool = false) throws {
        temporary = try TemporaryRoot(onTmpfs: onTmpfs)
        root = try temporary.make("root")
    }

    /// Applies an archive and returns the digest of what it unpacked to.
    @discardableResult
    func apply(_ archive: [UInt8], limits: UnpackLimits = UnpackLimits()) throws -> Digest? {
        try apply(file: try temporary.write("layer", archive), limits: limits)
    }

    @discardableResult
    func apply(file path: String, limits: UnpackLimits = UnpackLimits()) throws -> Digest? {
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
        let directory = OwnedDescriptor(try Descriptor.open(root, O_PATH | O_DIRECTORY))
        let input = try InflatingInput(DescriptorInput(file.descriptor), hash: .sha256, limits: limits)
        try LayerApplier(root: directory.descriptor).apply(try TarReader(input, limits: limits))
        return try input.finish()
    }

    func text(_ path: String) throws -> String {
        String(decoding: try FileContents.read("\(root)/\(path)"), as: UTF8.self)
    }

    func exists(_ path: String) -> Bool {
        var facts = stat()
        return lstat("\(root)/\(path)", &facts) == 0
    }

    func status(_ path: String) throws -> stat {
        var facts = stat()
        try kernelCall("stat", path) { lstat("\(root)/\(path)", &facts) }
        return facts
    }
}
