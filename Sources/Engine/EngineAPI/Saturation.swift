/// Arithmetic on figures that an engine tells. It may be another's engine, whose numbers can be anything: what goes beyond
/// the type is the type's largest or smallest number then.
extension FixedWidthInteger {
    package func addingSaturated(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        guard overflow else { return sum }
        return other > 0 ? .max : .min
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
