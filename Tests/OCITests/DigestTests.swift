import OCI
import Testing

@Suite struct DigestTests {
    @Test("A digest is an algorithm and exactly its digits", arguments: [("sha256", 64), ("sha512", 128)])
    func grammar(algorithm: String, count: Int) {
        let hex = String(repeating: "0f", count: count / 2)
        let digest = Digest("\(algorithm):\(hex)")
        #expect(digest?.description == "\(algorithm):\(hex)")
        #expect(digest?.short == "0f0f0f0f0f0f")
        for bad in [
            "\(algorithm):\(hex)0", "\(algorithm):\(hex.dropLast())", "\(algorithm)\(hex)", ":\(hex)", hex,
            "\(algorithm):\(hex.uppercased())", "md5:\(hex)", "\(algorithm):\(hex.dropLast())g", " \(algorithm):\(hex)",
            "\(algorithm):../\(hex.dropLast(3))",
        ] {
            #expect(Digest(bad) == nil, "\(bad)")
        }
    }

    @Test("A digest is made of the bytes of a hash")
    func bytes() {
        let digest = Digest(.sha256, bytes: (0..<32).map { UInt8($0 * 8) })
        #expect(digest?.hex.hasPrefix("0008101820") == true)
        #expect(Digest(.sha256, bytes: [1, 2, 3]) == nil)
    }
}
