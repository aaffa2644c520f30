import CLinux
import Linux

/// File systems that hold no files of anybody's, but show the kernel's state as such.
enum KernelView {
    /// Of linux/magic.h: sysfs, both kinds of cgroups, mqueue, debugfs, tracefs, securityfs and bpf.
    private static let magics: Set<Int64> = [
        KernelTree.procMagic, KernelTree.devptsMagic, 0x6265_6572, 0x27_E0EB, 0x6367_7270, 0x1980_0202, 0x6462_6720,
        0x7472_6163, 0x7363_6673, 0xCAFE_4A11,
    ]

    static func contains(_ directory: Descriptor) -> Bool {
        magics.contains(gantry_filesystem_magic(directory.rawValue))
    }
}
