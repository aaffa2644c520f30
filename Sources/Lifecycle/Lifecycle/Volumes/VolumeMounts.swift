import EngineAPI
import Linux

/// Which mounts a container has: those it asks for, those of other containers, and volumes without a name for what it
/// or its image wants to be volumes. A place that is taken stays with who comes first in that order; of two other
/// containers, as docker has it, with the one that is named later.
package enum VolumeMounts {
    /// A container whose mounts are taken over, where wanted for reading alone.
    package struct Lender: Hashable, Sendable {
        package var mounts: [MountSpec]
        package var readOnly: Bool

        package init(mounts: [MountSpec], readOnly: Bool) {
            self.mounts = mounts
            self.readOnly = readOnly
        }
    }

    package static func resolve(
        _ spec: ContainerSpec, imageVolumes: [String], lenders: [Lender]
    ) -> [MountSpec] {
        var mounts = spec.mounts
        for place in mounts.indices where mounts[place].kind == .volume && mounts[place].isShort {
            mounts[place].volumeDriver = mounts[place].volumeDriver ?? spec.volumeDriver
        }
        var taken = Set(mounts.map { PathName.cleaned($0.target) })
        for lender in lenders.reversed() {
            for mount in lender.mounts where mount.kind != .tmpfs {
                guard taken.insert(PathName.cleaned(mount.target)).inserted else { continue }
                var mount = mount
                // What the lender may not write nobody writes by it; and its volumes are as full as it has them.
                mount.readOnly = mount.readOnly || lender.readOnly
                mount.noCopy = mount.kind == .volume
                mount.addition = .whole
                mounts.append(mount)
            }
        }
        for path in spec.anonymousVolumes + imageVolumes {
            // An image may write `VOLUME data`, and means it from the root.
            var mount = MountSpec(.volume, target: path.hasPrefix("/") ? path : "/" + path)
            mount.addition = .whole
            mount.volumeDriver = spec.volumeDriver
            if taken.insert(PathName.cleaned(mount.target)).inserted { mounts.append(mount) }
        }
        return mounts
    }

    /// Parts `name:ro` of `--volumes-from`. Labels of SELinux are without effect here, as on docker without SELinux.
    package static func reference(_ text: String) throws(EngineError) -> (name: String, readOnly: Bool) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else {
            throw EngineError(.invalid, "invalid volumes-from specification: \(text)")
        }
        guard parts.count == 2, !parts[1].isEmpty else { return (name, false) }
        let words = parts[1].split(separator: ",", omittingEmptySubsequences: false)
        let (access, labels) = (words.filter { $0 == "ro" || $0 == "rw" }, words.filter { $0 == "z" || $0 == "Z" })
        guard access.count <= 1, labels.count <= 1, access.count + labels.count == words.count else {
            throw EngineError(.invalid, "invalid mode: \(parts[1])")
        }
        return (name, access == ["ro"])
    }
}
