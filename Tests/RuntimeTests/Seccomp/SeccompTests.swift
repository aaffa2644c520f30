import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

@Suite struct SeccompTests {
    @Test("A filter is kept and found again, and not believed when anything about it is wrong")
    func cache() throws {
        let root = "/tmp/gantry-test-seccomp-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(root)
        defer { try? Directory.removeTree(root) }  // The test's own folder; nothing to tell.
        let cache = SeccompCache(root: root)
        let profile = DefaultSeccomp.profile(capabilities: ["CAP_KILL"])
        let made = try cache.filter(for: profile).instructions
        #expect(made.count > 800 && made.count % 8 == 0)
        let folder = "\(root)/\(SeccompCache.folder)"
        let names = try Directory.list(folder)
        try #require(names.count == 1)
        let file = "\(folder)/\(names[0])"
        var bytes = try FileContents.read(file)

        // What is stored is used: a marked instruction comes back.
        bytes[bytes.count - 8] ^= 0xFF
        try FileContents.replace(file, with: bytes, durable: false)
        #expect(try cache.filter(for: profile).instructions != made)
        // Open to others, it is not.
        chmod(file, 0o644)
        #expect(try cache.filter(for: profile).instructions == made)
        // Nor with another profile's text.
        bytes = try FileContents.read(file)
        bytes[40] ^= 1
        try FileContents.replace(file, with: bytes, durable: false)
        #expect(try cache.filter(for: profile).instructions == made)
    }

    @Test(
        "What libseccomp cannot do is named",
        arguments: [
            ("SCMP_ACT_FOO", "SCMP_CMP_EQ", "SCMP_ARCH_X86_64", "not a valid action"),
            ("SCMP_ACT_ERRNO", "SCMP_CMP_FOO", "SCMP_ARCH_X86_64", "not a valid operator"),
            ("SCMP_ACT_ERRNO", "SCMP_CMP_EQ", "SCMP_ARCH_FOO", "not a valid arch"),
        ])
    func refusals(_ action: String, _ comparison: String, _ architecture: String, _ words: String) {
        var profile = LinuxSeccomp(defaultAction: action)
        profile.architectures = [architecture]
        profile.syscalls = [
            LinuxSyscall(
                ["read"], action: "SCMP_ACT_ALLOW",
                args: [LinuxSyscallArgument(index: 0, value: 1, comparison: comparison)])
        ]
        let error = #expect(throws: RuntimeError.self) { try SeccompCompiler.compile(profile) }
        #expect(error?.message.contains(words) == true)
    }
}
