extension FixedWidthInteger {
    /// Digits alone. Swift takes a sign before any number; runc, before one that could be negative.
    package init?(unsigned text: some StringProtocol) {
        guard let first = text.utf8.first, (48...57).contains(first), let value = Self(text) else { return nil }
        self = value
    }
}
