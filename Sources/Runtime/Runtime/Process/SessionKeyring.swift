import CLinux
import Glibc
import Linux

/// A session keyring of the container's own, so that its programs do not see the caller's keys.
enum SessionKeyring {
    /// For a container's first process, whose own children inherit it.
    static func make(for id: String, hasUserNamespace: Bool) throws(RuntimeError) {
        try attempt("unable to join session keyring") { () throws(KernelError) in
            if let serial = try joinNamed(id) { try openSearch(serial, hasUserNamespace) }
        }
    }

    /// For a further process, called inside the container's user namespace: the same keyring, found by its name, or a new
    /// one where that is gone.
    static func join(of id: String) throws(RuntimeError) {
        try attempt("unable to join session keyring") { () throws(KernelError) in _ = try joinNamed(id) }
    }

    /// Nil where there are no keys to see, in kernels without them and where filters around the runtime forbid the call;
    /// whatever else fails would leave the caller's keyring in the container.
    private static func joinNamed(_ id: String) throws(KernelError) -> Int32? {
        let name = "_ses.\(id)"
        do throws(KernelError) {
            return try kernelCall("keyctl join", name) { gantry_keyctl_join_session(name) }
        } catch  where error.errno == .noSystemCall || error.errno == .notPermitted {
            return nil
        }
    }

    /// A process that has not inherited the keyring, such as an `exec`'d one, finds it by its name: for that the owner may
    /// search it, in a user namespace others too.
    private static func openSearch(_ serial: Int32, _ hasUserNamespace: Bool) throws(KernelError) {
        // The name is of 1,030 bytes at most, all before it of 50.
        var text = [CChar](zeros: 2048)
        try kernelCall("keyctl describe") { gantry_keyctl_describe(serial, &text, 2047) }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let fields = bytes.split(separator: 59, omittingEmptySubsequences: false)
        guard fields.count > 3, let mask = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 16) else {
            throw KernelError("keyctl describe", String(decoding: bytes, as: UTF8.self), .invalidArgument)
        }
        try kernelCall("keyctl setperm") {
            gantry_keyctl_set_permissions(serial, mask | (hasUserNamespace ? 0x8 : 0x80000))
        }
    }
}
