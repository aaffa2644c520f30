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

    @Test("A file that was noted is taken for what it was then, until it is another")
    func noted() throws {
        let root = "/tmp/gantry-test-seccomp-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(root)
        defer { try? Directory.removeTree(root) }  // The test's own folder; nothing to tell.
        let cache = SeccompCache(root: root)
        let made = try cache.filter(for: DefaultSeccomp.profile(capabilities: ["CAP_KILL"]))
        let noted = try #require(made.file)
        var other = LinuxSeccomp(defaultAction: "SCMP_ACT_ERRNO")
        other.syscalls = [LinuxSyscall(["read"], action: "SCMP_ACT_ALLOW")]
        let own = try cache.filter(for: other)
        #expect(own.instructions != made.instructions && own.file != noted)
        #expect(try cache.filter(for: other).file == own.file)
        // No text is compared: the caller has said which file it is.
        let taken = try cache.filter(for: other, noted: noted)
        #expect(taken.instructions == made.instructions && taken.file == noted)
        // The same bytes in another file are not believed, nor is one that was written to.
        let path = "\(root)/\(SeccompCache.folder)/\(noted.name)"
        for replaces in [true, false] {
            let noted = try #require(try cache.filter(for: DefaultSeccomp.profile(capabilities: ["CAP_KILL"])).file)
            let bytes = try FileContents.read(path)
            if replaces {
                try FileContents.replace(path, with: bytes, durable: false)
            } else {
                try FileContents.write(String(decoding: bytes.prefix(1), as: UTF8.self), to: path)
            }
            #expect(try cache.filter(for: other, noted: noted).instructions == own.instructions)
        }
        unlink(path)
        #expect(try cache.filter(for: other, noted: noted).instructions == own.instructions)
    }

    @Test("A container's record says where its filter is, and an exec does without", .enabled(if: geteuid() == 0))
    func record() throws {
        let container = try TestContainer(.ours)
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: [])
        try container.createAndStart()
        let noted = try #require(try ContainerStore(root: container.root).record(of: container.id).filter)
        let folder = "\(container.root)/\(SeccompCache.folder)"
        #expect(try Directory.list(folder) == [noted.name])
        #expect(try container.exec("grep", "^Seccomp:", "/proc/self/status").output == "Seccomp:\t2\n")
        try Directory.removeTree(folder)
        #expect(try container.exec("grep", "^Seccomp:", "/proc/self/status").output == "Seccomp:\t2\n")
        #expect(try Directory.list(folder) == [noted.name])
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
