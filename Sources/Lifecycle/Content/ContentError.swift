import Linux
import OCI

/// Why content could not be stored or had.
package enum ContentError: Error, Hashable, Sendable, CustomStringConvertible {
    case notFound(Digest)
    /// The bytes are not those that the digest names. Nothing of them was kept.
    case wrongDigest(expected: Digest, found: Digest)
    case wrongSize(Digest, expectedBytes: Int64, foundBytes: Int64)
    /// A document that should be small is not.
    case tooLarge(Digest, limitBytes: Int)
    case kernel(KernelError)

    package var description: String {
        switch self {
        case .notFound(let digest): "content \(digest): not found"
        case .wrongDigest(let expected, let found): "unexpected digest \(found), expected \(expected)"
        case .wrongSize(let digest, let expected, let found):
            "content \(digest): unexpected size \(found) bytes, expected \(expected)"
        case .tooLarge(let digest, let limit): "content \(digest): larger than \(limit) bytes"
        case .kernel(let error): error.description
        }
    }
}
