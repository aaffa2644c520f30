import EngineAPI
import Linux

/// Which mounts a container has: those it asks for, those of other containers, and volumes without a name for what it
/// or its image wants to be volumes. A place that is taken stays with who comes first in that order.
package enum VolumeMounts {
    /// A container whose mounts are taken over; `readOnly` nil for as they are.
    package struct Lender: Hashable, Sendable {
        package var mounts: [MountSpec]
        package var readOnly: Bool?

        package init(mounts: [MountSpec], readOnly: Bool?) {
            self.mounts = mounts
            self.readOnly = readOnly
        }
    }

    package static func resolve(
        _ spec: ContainerSpec, imageVolumes: [String], lenders: [Lender]
    ) -> [MountSpec] {
        var mounts = spec.mounts
        var taken = Set(mounts.map { PathName.cleaned($0.target) })
        for lender in lenders {
            for mount in lender.mounts where mount.kind != .tmpfs {
                guard taken.insert(PathName.cleaned(mount.target)).inserted else { continue }
                var mount = mount
                if let readOnly = lender.readOnly { mount.readOnly = readOnly }
                mount.addition = .whole
                mounts.append(mount)
            }
        }
        for path in spec.anonymousVolumes + imageVolumes {
            // An image may write `VOLUME data`, and means it from the root.
            var mount = MountSpec(.volume, target: path.hasPrefix("/") ? path : "/" + path)
            mount.addition = .whole
            if taken.insert(PathName.cleaned(mount.target)).inserted { mounts.append(mount) }
        }
        return mounts
    }

    /// Parts `name:ro` of `--volumes-from`.
    package static func reference(_ text: String) throws(EngineError) -> (name: String, readOnly: Bool?) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty, parts.count <= 2 else {
            throw EngineError(.invalid, "invalid volumes-from specification: \(text)")
        }
        switch parts.count == 2 ? parts[1] : "" {
        case "": return (name, nil)
        case "ro": return (name, true)
        case "rw": return (name, false)
        default: throw EngineError(.invalid, "invalid mode for volumes-from: \(parts[1])")
        }
    }
}
