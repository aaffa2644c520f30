import Glibc

/// Whether the kernel has version 6 of the internet protocol.
package enum Version6 {
    package static let isThere = access("/proc/net/if_inet6", F_OK) == 0
}
