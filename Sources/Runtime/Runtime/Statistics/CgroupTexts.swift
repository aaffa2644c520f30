import Glibc
import Linux

/// The files of a container's cgroup, read as they are asked for; a file or a hierarchy that is not there has no text.
///
/// What statistics are made of: with texts from a table in place of the kernel's, they are made without a kernel.
struct CgroupTexts {
    /// Whether there is version 2 alone.
    let isUnified: Bool
    private let read: (_ controller: String?, _ file: String) throws(KernelError) -> [UInt8]?

    /// - Parameter read: the text of `file` in the version 1 hierarchy of `controller`, or in version 2 for nil.
    init(isUnified: Bool, read: @escaping (_ controller: String?, _ file: String) throws(KernelError) -> [UInt8]?) {
        self.isUnified = isUnified
        self.read = read
    }

    init(of cgroup: Cgroup) {
        let layout = cgroup.layout
        self.init(isUnified: layout.mode == .unified) { (controller, file) throws(KernelError) in
            let directory =
                controller.map { controller in
                    layout.hierarchy(of: controller).map { PathName.joined($0.mountPoint, cgroup.path) }
                } ?? layout.unifiedDirectory(of: cgroup.path)
            guard let directory else { return nil }
            do throws(KernelError) {
                return try FileContents.read("\(directory)/\(file)", limitBytes: 1 << 20)
            } catch  where [.noSuchFile, .noDevice, .notSupported].contains(error.errno) {
                return nil
            }
        }
    }

    /// Whole lines, each split at blanks.
    func lines(_ controller: String?, _ file: String) throws(KernelError) -> [[String]]? {
        try read(controller, file).map { text in
            text.split(separator: 10).map { line in
                line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    /// The one number of a file; `max` is the largest there is.
    func number(_ controller: String?, _ file: String) throws(KernelError) -> UInt64? {
        guard let word = try lines(controller, file)?.first?.first else { return nil }
        return word == "max" ? UInt64.max : UInt64(word)
    }

    /// A file of lines of a name and a number.
    func table(_ controller: String?, _ file: String) throws(KernelError) -> [String: UInt64]? {
        guard let lines = try lines(controller, file) else { return nil }
        var table: [String: UInt64] = [:]
        for line in lines where line.count == 2 { table[line[0]] = UInt64(line[1]) }
        return table
    }
}
