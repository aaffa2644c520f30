import CCrypto
import OCI

/// A hash over bytes as they come, by libcrypto, which uses the processor's own instructions.
package struct DigestHasher: ~Copyable {
    package let algorithm: Digest.Algorithm
    private let context: OpaquePointer

    package init(_ algorithm: Digest.Algorithm = .sha256) {
        let kind = algorithm == .sha256 ? EVP_sha256() : EVP_sha512()
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, kind, nil) == 1 else {
            preconditionFailure("libcrypto does not give \(algorithm.rawValue)")
        }
        self.algorithm = algorithm
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        guard EVP_DigestUpdate(context, start, bytes.count) == 1 else {
            preconditionFailure("libcrypto stopped hashing \(algorithm.rawValue)")
        }
    }

    package consuming func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &bytes, &count) == 1,
            let digest = Digest(algorithm, bytes: bytes.prefix(Int(count)))
        else { preconditionFailure("libcrypto gave \(count) bytes for \(algorithm.rawValue)") }
        return digest
    }
}

extension Digest {
    package init(of bytes: [UInt8], _ algorithm: Algorithm) {
        let hasher = DigestHasher(algorithm)
        bytes.withUnsafeBytes { hasher.update($0) }
        self = hasher.finish()
    }

    package static func sha256(of bytes: [UInt8]) -> Digest { Digest(of: bytes, .sha256) }

    /// The names of a stack of layers, each for one layer and all below it (OCI image configuration, "Layer ChainID").
    ///
    /// - Parameter diffIDs: the digests of the unpacked layers, lowest first.
    package static func chainIDs(_ diffIDs: [Digest]) -> [Digest] {
        var chain: [Digest] = []
        for diffID in diffIDs {
            guard let below = chain.last else {
                chain.append(diffID)
                continue
            }
            chain.append(.sha256(of: Array("\(below) \(diffID)".utf8)))
        }
        return chain
    }
}
