import Glibc

/// The files that a log has been rotated to, plain or packed: `path.1`, `path.2.gz`, …
struct OldLogFiles {
    /// What may follow the number.
    static let forms = ["", ".gz"]

    let path: String

    /// How many there are without a number missing.
    var count: Int {
        var number = 0
        while Self.forms.contains(where: { access("\(path).\(number + 1)\($0)", F_OK) == 0 }) { number += 1 }
        return number
    }
}
