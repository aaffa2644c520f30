import EngineAPI

/// An image as the index keeps it: the store's own document, and the names that point at it.
package struct ImageIndexEntry: Hashable, Sendable {
    /// `sha256:` and 64 digits: the digest of the image's configuration.
    package var id: String
    /// When the image was stored, nanoseconds since 1970.
    package var storedAt: Int64
    /// JSON; what it says is the image store's affair.
    package var document: String
    /// Full references with a tag or a digest: `docker.io/library/alpine:3.20`.
    package var names: [String]

    package init(id: String, storedAt: Int64, document: String, names: [String] = []) {
        self.id = id
        self.storedAt = storedAt
        self.document = document
        self.names = names
    }
}

package enum ImageIndexChange: Hashable, Sendable {
    /// Adds or replaces an image; its names stay.
    case put(id: String, storedAt: Int64, document: String)
    /// Points a name at an image, away from another where that had it.
    case name(String, id: String)
    case removeName(String)
    /// Removes an image with its names.
    case delete(id: String)
}

/// Which images there are and how they are called: the roots of everything that the content store and the snapshots
/// hold. One image store uses an index.
package protocol ImageIndex: Sendable {
    func entries() async throws(EngineError) -> [ImageIndexEntry]
    /// Makes all the changes, in order, or none; they survive a crash once this returns.
    func apply(_ changes: [ImageIndexChange]) async throws(EngineError)
}
