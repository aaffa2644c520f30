/// What a caller may ask of `create`, `run` and `restore` beside the bundle.
struct LaunchOptions {
    var bundle = "."
    var pidFile: String?
    var consoleSocket: String?
    /// Descriptors from 3 on that the program keeps.
    var preservedDescriptors: Int32 = 0
    var avoidsPivot = false
    var keepsKeyring = false
    var detaches = true
    /// `run` leaves the container's record in place when it ends.
    var keeps = false
}
