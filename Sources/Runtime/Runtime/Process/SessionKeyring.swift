import CLinux
import Glibc
import Linux

/// A session keyring of the container's own, so that its programs do not see the caller's keys.
enum SessionKeyring {
    /// Kernels without keys, and filters around the runtime that forbid the call, have none to see; whatever else fails
    /// would leave the caller's keyring in the container.
    static func join(_ name: String, hasUserNamespace: Bool) throws(RuntimeError) {
        try attempt("unable to join session keyring") { () throws(KernelError) in
            let serial: Int32
            do throws(KernelError) {
                serial = try kernelCall("keyctl join", name) { gantry_keyctl_join_session(name) }
            } catch  where error.errno == .noSystemCall || error.errno == .notPermitted {
                return
            }
            try openSearch(serial, hasUserNamespace)
        }
    }

    /// A process that has not inherited the keyring, such as an `exec`'d one, finds it by its name: for that the owner may
    /// search it, in a user namespace others too.
    private static func openSearch(_ serial: Int32, _ hasUserNamespace: Bool) throws(KernelError) {
        var text = [CChar](repeating: 0, count: 4096)
        try kernelCall("keyctl describe") { gantry_keyctl_describe(serial, &text, text.count - 1) }
        let description = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = description.split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count > 3, let mask = UInt32(fields[3], radix: 16) else {
            throw KernelError("keyctl describe", description, .invalidArgument)
        }
        try kernelCall("keyctl setperm") {
            gantry_keyctl_set_permissions(serial, mask | (hasUserNamespace ? 0x8 : 0x80000))
        }
    }
}
