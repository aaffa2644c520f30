/// Ids of containers and execs: 256 random bits, written as 64 hexadecimal digits.
package enum RandomID {
    package static func make() -> String {
        var random = SystemRandomNumberGenerator()
        while true {
            let words = (0..<4).map { _ in
                let digits = String(random.next() as UInt64, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }
            let id = words.joined()
            // Docker's rule: the short form must not look like a number, or it could not be a host name.
            if !id.prefix(12).allSatisfy(\.isNumber) { return id }
        }
    }
}
