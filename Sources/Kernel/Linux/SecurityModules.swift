import CLinux

/// The security modules of this kernel that containers can be given labels or profiles of.
package enum SecurityModules {
    /// Asks `/sys/module/apparmor/parameters/enabled`.
    package static var hasAppArmor: Bool {
        do throws(KernelError) {
            let text = try FileContents.read("/sys/module/apparmor/parameters/enabled", limitBytes: 16)
            return text.first == UInt8(ascii: "Y")
        } catch {
            // Without the module there is no such file.
            return false
        }
    }

    /// Whether selinuxfs is mounted where libselinux looks for it.
    package static var hasSELinux: Bool {
        // SELINUX_MAGIC of linux/magic.h.
        gantry_filesystem_magic_at("/sys/fs/selinux") == 0xF97C_FF8C
    }
}
