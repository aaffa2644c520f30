import CLinux
import Glibc

/// Whose the files are that this thread makes: setfsuid(2). Where a mount translates owners nobody can make a file whose
/// owner the translation does not know, as the host's root is.
package struct FileOwnership {
    /// SECBIT_NO_SETUID_FIXUP: another owner of files takes no capability away.
    private static let keepsRights: UInt = 1 << 2
    private static let (getSecureBits, setSecureBits): (Int32, Int32) = (27, 28)

    private let formerBits: UInt

    /// From here on, until `end` on the same thread, which nothing else may use meanwhile. Its rights stay what they are.
    package init(uid: UInt32, gid: UInt32) throws(KernelError) {
        formerBits = UInt(try kernelCall("prctl") { gantry_prctl(Self.getSecureBits, 0, 0, 0, 0) })
        try kernelCall("prctl") { gantry_prctl(Self.setSecureBits, formerBits | Self.keepsRights, 0, 0, 0) }
        do throws(KernelError) {
            try kernelCall("setfsuid") { gantry_set_file_ids(uid, gid) }
        } catch {
            end()
            throw error
        }
    }

    /// As before: who is started by this thread from here on knows nothing of it.
    package func end() {
        gantry_set_file_ids(geteuid(), getegid())
        gantry_prctl(Self.setSecureBits, formerBits, 0, 0, 0)
    }
}
