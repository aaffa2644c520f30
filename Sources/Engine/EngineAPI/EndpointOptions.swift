/// What docker says by options of a container's device in a network.
extension EndpointSpec {
    /// What it is to be called in the container.
    package static let deviceNameOption = "com.docker.network.endpoint.ifname"
    /// Kernel settings that are its alone: `net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=0`.
    package static let settingsOption = "com.docker.network.endpoint.sysctls"

    /// Nil for what the engine calls it.
    package var deviceName: String? { options[Self.deviceNameOption].flatMap { $0.isEmpty ? nil : $0 } }
}
