import Terminal

/// Names where there is little room: what tells one from the next stays.
enum ShortName {
    /// Of an image the last parts and the tag tell more than the registry: `registry.example.com/team/app:1` is
    /// `…/team/app:1`, or `…/app:1`, where no more fits.
    static func image(_ name: String, to columns: Int) -> String {
        guard TextWidth.exceeds(columns, name) else { return name }
        var rest = name[...]
        while let slash = rest.firstIndex(of: "/") {
            rest = rest[rest.index(after: slash)...]
            if !TextWidth.exceeds(columns, "…/\(rest)") { break }
        }
        return TextWidth.exceeds(columns, "…/\(rest)") ? String(rest) : "…/\(rest)"
    }

    /// Containers of a service differ at their ends alone: `shop-payment-worker-12` is `shop-payme…rker-12`.
    static func container(_ name: String, to columns: Int) -> String {
        // An engine's names are ASCII: each character takes a column.
        guard TextWidth.exceeds(columns, name), columns > 8 else { return name }
        let tail = min(8, columns / 3)
        return "\(name.prefix(columns - tail - 1))…\(name.suffix(tail))"
    }
}
