/// The root over an image that is mounted in a container: named by the container and the mount's place, so that it goes
/// with the container.
package enum MountedImage {
    package static func root(of containerID: String, _ number: Int) -> String { "\(containerID)_m\(number)" }

    /// The container that a root belongs to.
    static func owner(of root: String) -> String {
        guard let mark = root.lastIndex(of: "_"), root[mark...].hasPrefix("_m"),
            !root[mark...].dropFirst(2).isEmpty, root[mark...].dropFirst(2).allSatisfy(\.isNumber)
        else { return root }
        return String(root[..<mark])
    }
}
