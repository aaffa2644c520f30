/// What is said at the gate at which gantry-runtime leaves a created container's process: who lets it go on may be the
/// runtime itself, or gantry-shim.
///
/// The socket is in the container's directory of the runtime. `start` is answered with `running`, or with `failed` and the
/// reason in words, and then the end of the connection.
package enum StartGateWords {
    package static let socketName = "start.sock"
    package static let start = UInt8(ascii: "s")
    package static let running = UInt8(ascii: "r")
    package static let failed = UInt8(ascii: "e")
    package static let answerLimitBytes = 16384
}
