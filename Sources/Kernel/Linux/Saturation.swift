/// Arithmetic on figures of others, which can be anything: sizes of files with holes, dates, what another engine tells.
/// What goes beyond the type is the type's largest or smallest number then.
extension FixedWidthInteger {
    package func addingSaturated(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        guard overflow else { return sum }
        return other > 0 ? .max : .min
    }

    package func subtractingSaturated(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        guard overflow else { return difference }
        return other > 0 ? .min : .max
    }

    package func multipliedSaturated(by factor: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        guard overflow else { return product }
        return (self < 0) == (factor < 0) ? .max : .min
    }
}

extension Sequence {
    /// The sum of a figure of each element.
    package func saturatedSum<Number: FixedWidthInteger>(of figure: (Element) -> Number) -> Number {
        reduce(0) { $0.addingSaturated(figure($1)) }
    }
}
