import CLinux
import Glibc
import Linux

/// A program of the machine, run to its end by a process of one thread.
package struct OutsideProgram {
    package struct Outcome: Hashable {
        /// Its exit code, or 128 + signal.
        package var code: Int32
        /// The last line that it wrote on standard error.
        package var complaint: String
    }

    let path: String
    /// With the zeroth.
    let arguments: [String]

    /// - Parameters:
    ///   - path: absolute.
    ///   - arguments: with the zeroth.
    package init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// The first of the usual places that has a program of that name.
    package static func find(_ name: String) -> String? {
        ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"].map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// Blocking.
    package func run() throws(RootlessFailure) -> Outcome {
        try attempt("run \(arguments[0])") { () throws(KernelError) in
            let complaints = OwnedDescriptor(try Self.memory())
            var spawn = Spawn(program: path, arguments: arguments)
            spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            spawn.descriptors = [nil, nil, complaints.descriptor]
            let process = OwnedDescriptor(try PidFD.open(pid: try spawn.start()))
            let code = try PidFD.reap(process.descriptor)
            return Outcome(code: code, complaint: try Self.lastLine(of: complaints.descriptor))
        }
    }

    /// A file in memory, for what a program writes.
    static func memory() throws(KernelError) -> Descriptor {
        Descriptor(rawValue: try kernelCall("memfd_create") { gantry_memfd_create("output", 1) })
    }

    static func lastLine(of file: Descriptor) throws(KernelError) -> String {
        try kernelCall("seek") { lseek(file.rawValue, 0, SEEK_SET) }
        let text = String(decoding: try file.readAll(limitBytes: 1 << 20), as: UTF8.self)
        return text.split(separator: "\n").last.map(String.init) ?? "it gave no reason"
    }
}
