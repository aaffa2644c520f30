import CSeccomp
import JSON
import Linux
import OCI

/// `features`: what this program knows, whatever the kernel below it can do; features.md of the specification.
extension Invocation {
    func features() throws(RuntimeError) -> Int32 {
        try CommandArguments(words, "").expectOperands("features", exactly: 0)
        return try Self.print(String(decoding: Features.json.prettyBytes(indent: "    "), as: UTF8.self) + "\n")
    }
}

package enum Features {
    package static var json: JSONValue {
        [
            "ociVersionMin": "1.0.0", "ociVersionMax": .string(RuntimeSpec.newestVersion),
            "hooks": strings([
                "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
            ]),
            "mountOptions": strings(MountOptions.knownNames),
            "linux": linux,
            "annotations": [
                "io.github.seccomp.libseccomp.version": .string(seccompVersion),
                "org.gantry.runtime.version": .string(Invocation.version),
                // Callers ask under runc's name.
                "org.opencontainers.runc.checkpoint.enabled": "true",
            ],
            "potentiallyUnsafeConfigAnnotations": strings([SystemdAnnotations.prefix, CriuConfiguration.annotation]),
        ]
    }

    private static var linux: JSONValue {
        [
            "namespaces": strings(LinuxNamespace.Kind.allCases.map(\.rawValue).sorted()),
            "capabilities": strings(CapabilitySet.allNames),
            "cgroup": ["v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": true],
            "seccomp": [
                "enabled": true, "actions": strings(SeccompCompiler.actionNames),
                "operators": strings(SeccompCompiler.comparisonNames),
                "archs": strings(SeccompCompiler.architectureNames.filter(isInLibrary)),
                "knownFlags": strings(SeccompFilter.flagNames),
                // No part of any is left to the library: what the kernel has, there is.
                "supportedFlags": strings(SeccompFilter.flagNames),
            ],
            "apparmor": ["enabled": true], "selinux": ["enabled": true],
            "memoryPolicy": [
                "modes": strings(LinuxMemoryPolicy.Mode.allCases.map(\.rawValue)),
                "flags": strings(LinuxMemoryPolicy.Flag.allCases.map(\.rawValue)),
            ],
            "intelRdt": ["enabled": true, "schemata": true, "monitoring": true],
            "mountExtensions": ["idmap": ["enabled": true]],
            "netDevices": ["enabled": true],
        ]
    }

    private static func strings(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }

    /// An older libseccomp than this program may know of has fewer.
    private static func isInLibrary(_ architecture: String) -> Bool {
        seccomp_arch_resolve_name(architecture.dropFirst("SCMP_ARCH_".utf8.count).lowercased()) != 0
    }

    private static var seccompVersion: String {
        guard let version = seccomp_version() else { return "" }
        return "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }
}
