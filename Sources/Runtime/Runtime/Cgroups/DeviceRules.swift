import CLinux
import Glibc
import Linux

/// The effects of a device ruleset on a cgroup, in use or not.
struct DeviceRules {
    let ruleset: DeviceRuleset
    let cgroup: Cgroup

    /// - Parameter isNew: whether the cgroup was just made: what it has is then its parent's, and begun anew.
    func apply(isNew: Bool = false) throws(RuntimeError) {
        try attempt("error setting cgroup config: linux.resources.devices") { () throws(KernelError) in
            if let hierarchy = cgroup.layout.hierarchy(of: "devices") {
                try applyLegacy(PathName.joined(hierarchy.mountPoint, cgroup.path), isNew)
            } else if let directory = cgroup.layout.unifiedDirectory(of: cgroup.path) {
                try applyUnified(directory)
            }
        }
    }

    private func applyLegacy(_ directory: String, _ isNew: Bool) throws(KernelError) {
        let list =
            isNew
            ? "a *:* rwm"
            : String(
                decoding: try FileContents.read("\(directory)/devices.list"), as: UTF8.self)
        // Each line is a write of its own, to a file that is opened once.
        let allow = OwnedDescriptor(try Descriptor.open("\(directory)/devices.allow", O_WRONLY))
        let deny = OwnedDescriptor(try Descriptor.open("\(directory)/devices.deny", O_WRONLY))
        for line in ruleset.lines(from: DeviceRuleset(list: list)) {
            let target = line.file == "devices.allow" ? allow.descriptor : deny.descriptor
            do throws(KernelError) {
                try target.writeAll(Array(line.text.utf8))
            } catch {
                throw KernelError("write \"\(line.text)\" to", "\(directory)/\(line.file)", error.errno)
            }
        }
    }

    /// The cgroup keeps the program; one of ours that it has already gives way to it without a moment between.
    private func applyUnified(_ path: String) throws(KernelError) {
        let program = DeviceFilter(ruleset).program
        let directory = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        let loaded = OwnedDescriptor(
            Descriptor(
                rawValue: try kernelCall("load the device filter") {
                    gantry_bpf_load_device_filter(program, UInt32(program.count))
                }))
        try kernelCall("attach the device filter to", path) {
            gantry_bpf_attach_device_filter(directory.descriptor.rawValue, loaded.descriptor.rawValue)
        }
    }
}
