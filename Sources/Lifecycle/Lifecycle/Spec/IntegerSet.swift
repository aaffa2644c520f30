/// A set of numbers as cpuset(7) writes it: `0-2,4`.
enum IntegerSet {
    static func parse(_ text: String) -> Set<Int>? {
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, ends.count <= 2, let last = ends.last ?? nil, first <= last,
                first >= 0, last < 8192
            else { return nil }
            numbers.formUnion(first...last)
        }
        return numbers
    }
}
