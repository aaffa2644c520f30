import CLinux
import Glibc
import Linux

/// Protects the runtime's own file from the container (CVE-2019-5736): a program that is `#!/proc/self/exe`, or one that
/// watches a runtime enter its container, could open the file that the runtime was started from and write to it.
///
/// So before anything of a container is touched, the program runs itself again from a read-only mount of its file that is
/// attached nowhere, whose every opening for writing fails. A caller that starts it from such a mount saves that step.
enum SealedExecutable {
    /// Returns where the program runs from a read-only mount; else becomes the sealed program.
    static func ensure() throws(RuntimeError) {
        // ST_RDONLY 1.
        guard let own = try? Descriptor.open("/proc/self/exe", O_PATH) else {
            throw RuntimeError("open `/proc/self/exe`: is /proc mounted?")
        }
        let flags = gantry_mount_flags(own.rawValue)
        own.close()
        if flags >= 0, flags & 1 == 1 { return }
        // An ordinary user's file is as safe as that user's rights, and no mount may be made without a privilege.
        if geteuid() != 0 { return }
        try attempt("unable to seal the runtime's own file") { () throws(KernelError) in
            let tree = try Mount.cloneTree("/proc/self/exe")
            try Mount.setAttributes(tree, set: .readOnly, named: "/proc/self/exe")
            var environment: [String] = []
            var entry = environ
            while let variable = entry.pointee {
                environment.append(String(cString: variable))
                entry += 1
            }
            withCStrings(CommandLine.arguments) { argv in
                withCStrings(environment) { envp in _ = gantry_exec_descriptor(tree.rawValue, argv, envp) }
            }
            throw KernelError("exec", "/proc/self/exe", Errno(rawValue: ENOEXEC))
        }
    }
}
