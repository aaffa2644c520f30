import CLinux
import Glibc
import Linux
import OCI

/// What the security modules are told of the process that is to execute the container's program, by the files of
/// `/proc/self/attr`.
struct SecurityLabels {
    let process: RuntimeProcess
    let facts: HostFacts

    /// What the program will run as.
    func apply() throws(RuntimeError) {
        // A runtime that is confined itself passes that on, unless the program is to be unconfined by name.
        if let profile = process.apparmorProfile, !profile.isEmpty, facts.hasAppArmor {
            try attempt("process.apparmorProfile: unable to apply apparmor profile `\(profile)`") {
                () throws(KernelError) in
                // Linux before 5.8 has no folder for each module.
                do throws(KernelError) {
                    try Self.write("exec \(profile)", to: "apparmor/exec")
                } catch
                    where error.object.hasSuffix("apparmor/exec") && error.operation == "open"
                    && error.errno == .noSuchFile
                {
                    try Self.write("exec \(profile)", to: "exec")
                }
            }
        }
        if let label = process.selinuxLabel, !label.isEmpty {
            try attempt("process.selinuxLabel: unable to apply selinux label `\(label)`") {
                () throws(KernelError) in try Self.write(label, to: "exec")
            }
        }
    }

    /// What keys that this process makes belong to, until it executes a program.
    func labelKeys() throws(RuntimeError) {
        guard let label = process.selinuxLabel, !label.isEmpty else { return }
        try attempt("process.selinuxLabel: unable to label the session keyring") { () throws(KernelError) in
            try Self.write(label, to: "keycreate")
        }
    }

    /// Runs `body`, whose new keys belong to the program's label.
    func labellingKeys(_ body: () throws(RuntimeError) -> Void) throws(RuntimeError) {
        try labelKeys()
        try body()
        guard let label = process.selinuxLabel, !label.isEmpty else { return }
        try attempt { () throws(KernelError) in try Self.write("", to: "keycreate") }
    }

    /// Only on the true procfs: an image may have put anything at `/proc` (CVE-2019-19921).
    private static func write(_ text: String, to name: String) throws(KernelError) {
        let path = "/proc/self/attr/\(name)"
        let root = try RootedTree.ofProcess()
        defer { root.root.close() }
        let proc = try KernelTree.proc(in: root)
        defer { proc.close() }
        let file = OwnedDescriptor(try proc.open("self/attr/\(name)", O_WRONLY))
        let bytes = Array(text.utf8)
        try kernelCall("write to", path) { Glibc.write(file.descriptor.rawValue, bytes, bytes.count) }
    }
}
