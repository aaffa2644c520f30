/// How many layers a root file system can be made of.
package enum LayerDepth {
    /// The kernel stacks 500 directories (`OVL_MAX_STACK`), and their short names fit in the page that mount(2) takes. Two
    /// are ours: the bottom layer, and what a container has written while that is looked at. Other drivers keep to it so
    /// that an image can be used by any.
    package static let limit = 498

    /// - Parameter count: of an image's layers.
    /// - Returns: why there are too many, in docker's words; nil where there are not.
    package static func refusal(of count: Int) -> String? {
        count > limit ? "max depth exceeded: \(count) layers are more than the \(limit) that can be stacked" : nil
    }
}
