import Glibc

/// The small init process of `--init`: Debian's tini, linked statically, because the container has libraries of its own
/// or none.
package enum InitProgram {
    /// Where the machine has one; nil where it has none. Blocking, shortly.
    package static var installed: String? {
        [
            "/usr/bin/tini-static", "/usr/local/bin/tini-static", "/usr/bin/docker-init",
            "/usr/libexec/docker/docker-init",
        ]
        .first { access($0, X_OK) == 0 }
    }
}
