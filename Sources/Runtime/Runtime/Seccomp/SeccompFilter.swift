import CLinux
import Glibc
import Linux
import OCI

/// A filter ready for the kernel.
struct SeccompFilter {
    var instructions: [UInt8]
    var flags: UInt32
    /// Who is asked about some calls; nil where nobody is.
    var listener: SeccompListener?
    /// Where it is kept; nil where it is not.
    var file: FilterFile?

    /// seccomp(2): from here on, this thread and what it executes make only calls that the filter lets through.
    ///
    /// - Parameter channel: over which the runtime is told of a listener's descriptor, and answers once the agent has it.
    func install(_ channel: SyncChannel?) throws(KernelError) {
        // SECCOMP_FILTER_FLAG_NEW_LISTENER 8.
        let number = try kernelCall("install the seccomp filter") {
            instructions.withUnsafeBytes {
                gantry_seccomp_filter($0.baseAddress, UInt16($0.count / 8), listener == nil ? flags : flags | 8)
            }
        }
        guard listener != nil else { return }
        let descriptor = OwnedDescriptor(Descriptor(rawValue: number))
        guard let channel else { throw KernelError("hand over the seccomp descriptor", "", .brokenPipe) }
        // By write(2), the one call about which no agent can be asked.
        try channel.socket.writeAll(SyncMessage.listener(descriptor.descriptor.rawValue).bytes)
        guard try channel.receive() == .proceed else {
            throw KernelError("hand over the seccomp descriptor", "", .brokenPipe)
        }
    }

    static let flagNames = [
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", waitKillable,
    ]
    private static let waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

    static func flags(of profile: LinuxSeccomp, _ listener: SeccompListener?) throws(RuntimeError) -> UInt32 {
        var bits: UInt32 = 0
        for name in profile.flags {
            switch name {
            // One thread installs the filter, and it is the process's only one.
            case "SECCOMP_FILTER_FLAG_TSYNC": break
            case "SECCOMP_FILTER_FLAG_LOG": bits |= 2
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": bits |= 4
            case waitKillable:
                guard listener != nil else {
                    throw RuntimeError("linux.seccomp.flags: \(name) is of use with \(SeccompListener.action) only")
                }
                bits |= 0x20
            default: throw RuntimeError("linux.seccomp.flags: seccomp flag \"\(name)\" not supported")
            }
        }
        return bits
    }
}
