import EngineAPI

/// A launch trace as the row keeps it: `payload-accepted=1700000000000000000 …`, small because it is written at each
/// start.
enum LaunchText {
    static func text(_ steps: [LaunchStep]) -> String {
        steps.map { "\($0.name.rawValue)=\($0.time.nanosecondsSinceEpoch)" }.joined(separator: " ")
    }

    /// Steps that a later version knows and this one does not are left out.
    static func steps(_ text: String) -> [LaunchStep] {
        text.split(separator: " ").compactMap { word in
            let sides = word.split(separator: "=")
            guard sides.count == 2, let name = LaunchStep.Name(rawValue: String(sides[0])), let time = Int64(sides[1])
            else { return nil }
            return LaunchStep(name, at: Timestamp(nanosecondsSinceEpoch: time))
        }
    }
}
