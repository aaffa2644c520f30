import Glibc
import Images
import Linux

/// The small init process of `--init`. It must be linked statically, because the container has libraries of its own or
/// none.
package enum InitProgram {
    /// The shim's own, where that is so; else Debian's tini. Nil where there is neither. Blocking, shortly.
    package static func path(shim: String) -> String? {
        if isStatic(shim) { return shim }
        return [
            "/usr/bin/tini-static", "/usr/local/bin/tini-static", "/usr/bin/docker-init",
            "/usr/libexec/docker/docker-init",
        ]
        .first { access($0, X_OK) == 0 }
    }

    private static func isStatic(_ path: String) -> Bool {
        do throws(KernelError) {
            let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY))
            return try StaticProgram.objection(file.descriptor) == nil
        } catch { return false }  // What cannot be read cannot be run either.
    }
}
