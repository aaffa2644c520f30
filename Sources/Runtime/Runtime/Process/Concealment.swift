import CLinux
import Linux

/// Keeps a process on its way into a container from being looked into, by its files in procfs or by ptrace(2): where
/// namespaces are shared, processes of a container see it while it still has the host's root directory, descriptors and
/// memory (CVE-2016-9962). Forked processes inherit it; the execution of a program ends it, and so may a change of ids
/// (proc(5), fs.suid_dumpable).
///
/// The capability to trace that overcomes it is one of the user namespace in which the runtime's program was executed, not
/// of one that the process has joined since.
enum Concealment {
    /// PR_SET_DUMPABLE 4.
    static func begin() throws(KernelError) { try kernelCall("set dumpable") { gantry_prctl(4, 0, 0, 0, 0) } }

    static func end() throws(KernelError) { try kernelCall("set dumpable") { gantry_prctl(4, 1, 0, 0, 0) } }
}
