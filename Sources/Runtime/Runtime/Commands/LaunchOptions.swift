/// What a caller may ask of `create`, `run` and `restore` beside the bundle.
struct LaunchOptions {
    var bundle = "."
    var pidFile: String?
    var consoleSocket: String?
    var pidfdSocket: PidfdSocket?
    /// Listening sockets that the program inherits, before the other preserved descriptors.
    var activation = SocketActivation()
    /// Descriptors from 3 on that the program keeps, those of socket activation included.
    var preservedDescriptors: Int32 = 0
    var avoidsPivot = false
    /// The cgroup is one of systemd's.
    var usesSystemd = false
    var keepsKeyring = false
    var detaches = true
    /// The command that makes the container starts it as well.
    var startsItself = false
    /// `run` leaves the container's record in place when it ends.
    var keeps = false
}
