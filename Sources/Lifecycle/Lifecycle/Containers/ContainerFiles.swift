import Glibc
import Linux

/// A container's own files in the data root: what is bound over its /etc, and the directory of its log.
struct ContainerFiles {
    let directory: String
    let hostname: String
    let domainname: String?
    let sharesHostNetwork: Bool
    /// The container's ids on the host; nil where they are the same.
    let remap: IDRemap?

    /// Blocking.
    func write() throws(KernelError) {
        try Directory.create(directory, mode: 0o710)
        try put("hostname", Array("\(hostname)\n".utf8))
        try put("hosts", sharesHostNetwork ? hostFile("/etc/hosts") : Array(Self.hosts.utf8))
        try put("resolv.conf", hostFile("/etc/resolv.conf"))
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

    private static let hosts = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::\tip6-localnet
        ff00::\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """
}
