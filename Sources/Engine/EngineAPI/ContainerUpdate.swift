/// What `update` changes of a container; nil leaves a thing as it is.
public struct ContainerUpdate: Hashable, Sendable {
    /// Those that are set take the place of the container's own.
    public var limits = ResourceLimits()
    public var restartPolicy: RestartPolicy?

    public init() {}
}
