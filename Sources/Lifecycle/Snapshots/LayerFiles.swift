import CLinux
import Glibc
import Linux

/// What layers have at their paths, each layer by itself. Blocking.
///
/// No link is followed on the way: where an upper layer has a directory in a link's place, what the link leads to is not
/// below that directory, and may be the machine's own.
final class LayerFiles {
    /// The layers' directories, by their paths from the one that all are in; the uppermost first.
    let layers: [String]
    private let top: OwnedDescriptor

    /// - Parameter top: the directory that all layers are in.
    init(_ layers: [String], in top: String) throws(KernelError) {
        self.top = OwnedDescriptor(try Descriptor.open(top, O_PATH | O_DIRECTORY))
        self.layers = layers
    }

    /// - Parameter path: from the layer's root, as `/etc/passwd`.
    func status(_ path: [UInt8], in layer: String) -> stat? {
        guard let place = open(path, in: layer) else { return nil }
        // Of what is open that much is always known.
        return try? place.descriptor.status()
    }

    /// Whether one of the attributes says that the directory at the path hides what is below it.
    func isOpaque(_ path: [UInt8], in layer: String, by attributes: [String]) -> Bool {
        guard let place = open(path, in: layer) else { return false }
        return attributes.contains { name in
            var value: UInt8 = 0
            return getxattr(place.descriptor.procPath, name, &value, 1) == 1 && value == UInt8(ascii: "y")
        }
    }

    /// Nil where there is nothing.
    private func open(_ path: [UInt8], in layer: String) -> OwnedDescriptor? {
        let name = (Array(layer.utf8) + path + [0]).map { CChar(bitPattern: $0) }
        let flags = UInt64(UInt32(bitPattern: O_PATH | O_NOFOLLOW | O_CLOEXEC))
        // RESOLVE_BENEATH 8, RESOLVE_NO_SYMLINKS 4.
        let number = gantry_openat2(top.descriptor.rawValue, name, flags, 0, 8 | 4)
        guard number >= 0 else { return nil }
        return OwnedDescriptor(Descriptor(rawValue: number))
    }
}
