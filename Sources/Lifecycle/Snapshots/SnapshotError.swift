import Archive
import Linux
import OCI

/// Why a layer or a root file system could not be made.
package enum SnapshotError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A layer that should be there is not.
    case missingLayer(Digest)
    /// A container's id that cannot name a directory.
    case invalidName(String)
    /// Overlayfs does not work here, and why.
    case overlayUnavailable(String)
    /// The data root has layers that another driver made, in a form that this one does not know.
    case otherDriver(found: StorageDriver, wanted: StorageDriver)
    case archive(ArchiveError)
    case kernel(KernelError)

    package var description: String {
        switch self {
        case .missingLayer(let chainID): "layer \(chainID) does not exist"
        case .invalidName(let name): "`\(name)` cannot name a container's root file system"
        case .overlayUnavailable(let reason): "overlayfs is not available: \(reason)"
        case .otherDriver(let found, let wanted):
            "the data root has images of the storage driver \(found.rawValue), which \(wanted.rawValue) cannot use: "
                + "set \"storage-driver\" to \(found.rawValue), or choose an empty data root"
        case .archive(let error): error.description
        case .kernel(let error): error.description
        }
    }
}
