import Glibc
import Linux
import Networking

/// A container's own files in the data root: what is bound over its /etc, and the directory of its log.
struct ContainerFiles {
    let directory: String
    let names: ContainerNames
    let sharesHostNetwork: Bool
    /// The container's ids on the host; nil where they are the same.
    let remap: IDRemap?

    /// Blocking.
    func write() throws(KernelError) {
        try Directory.create(directory, mode: 0o710)
        try put("hostname", Array("\(names.hostname)\n".utf8))
        // The networks' service writes those of its members anew at each start.
        let isHosts = sharesHostNetwork && names.extraHosts.isEmpty
        try put(
            "hosts",
            isHosts ? hostFile("/etc/hosts") : Array(HostsFile.text(names, addresses: [], gateway: nil).utf8))
        let hasOwnResolvers = !(names.servers + names.search + names.options).isEmpty
        try put(
            "resolv.conf",
            hasOwnResolvers
                ? Array(ResolverFile.machine().overridden(names).text.utf8) : hostFile("/etc/resolv.conf"))
    }

    private func put(_ name: String, _ bytes: [UInt8]) throws(KernelError) {
        let path = directory + "/" + name
        try FileContents.replace(path, with: bytes, mode: 0o644, durable: false)
        // Containers' root adds names.
        if let remap { try kernelCall("chown", path) { chown(path, remap.rootUID, remap.rootGID) } }
    }

    /// A machine without the file has nothing to tell its containers.
    private func hostFile(_ path: String) throws(KernelError) -> [UInt8] {
        do { return try FileContents.read(path, limitBytes: 1 << 20) } catch  where error.errno == .noSuchFile {
            return []
        }
    }
}
