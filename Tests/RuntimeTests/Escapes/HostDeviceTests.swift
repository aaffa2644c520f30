import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Device nodes of the host that a container can see: it may use them, but whose they are and who else may is not for it
/// to say, or one container would take `/dev/null` from the whole machine.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct HostDeviceTests {
    private static let runtime = RuntimeUnderTest.ours

    /// Inside: uses the files, then tries to change them to what they are already.
    private static func attempt(_ paths: String...) -> [String] {
        let script = """
            for f in "$@"; do
              [ -c $f ] || { echo "$f is no device"; continue; }
              (echo x > $f) && [ -z "$(cat $f)" ] && echo used
              for change in 'chmod 666' 'chown 0:0' 'touch -a' 'touch -c'; do
                $change $f 2>/dev/null && echo "$change $f succeeded"
              done
            done
            true
            """
        return ["sh", "-c", script, "sh"] + paths
    }

    private func container(_ command: [String]) throws -> TestContainer {
        let container = try TestContainer(Self.runtime, command)
        container.install("chmod", "chown", "rm")
        container.grant("CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE")
        return container
    }

    private func expectNullAsItWas(_ before: stat) throws {
        var now = stat()
        try kernelCall("stat", "/dev/null") { stat("/dev/null", &now) }
        #expect(now.st_mode == before.st_mode && now.st_uid == before.st_uid && now.st_gid == before.st_gid)
    }

    private func null() throws -> stat {
        var facts = stat()
        try kernelCall("stat", "/dev/null") { stat("/dev/null", &facts) }
        return facts
    }

    @Test("What covers masked files can be used and not changed")
    func masks() throws {
        let before = try self.null()
        let container = try self.container(Self.attempt("/proc/keys", "/proc/timer_list"))
        container.spec.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"]
        let result = try container.run()
        #expect(result.output == "used\nused\n", "\(result.errors)")
        try expectNullAsItWas(before)
    }

    @Test("Nor can the nodes that a user namespace is shown, also where its root is the host's")
    func nodesOfUserNamespace() throws {
        let before = try self.null()
        let container = try self.container(Self.attempt("/dev/null"))
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        let mapping = LinuxIDMapping(containerID: 0, hostID: 0, size: 65536)
        (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = ([mapping], [mapping])
        let result = try container.run()
        #expect(result.output == "used\n", "\(result.errors)")
        try expectNullAsItWas(before)
    }

    /// Where mounts tell their peers of what is mounted over them, as on most machines: in a mount namespace of the test's
    /// own, whose `/dev/null` is looked at when the container has ended.
    private static let onSharedMounts: RuntimeUnderTest = {
        var runtime = Self.runtime
        let script = "mount --make-rshared / && \"$@\" && stat -c %t:%T /dev/null"
        runtime.launcher = [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh",
        ]
        return runtime
    }()

    @Test(
        "What is mounted over a mask, or over a node that a user namespace is shown, does not cover the host's device",
        arguments: [("/proc/keys", false), ("/dev/null", true)])
    func covered(place: String, hasUserNamespace: Bool) throws {
        let script = """
            grep -c shared: /proc/self/mountinfo
            echo evil > /tmp/evil; mount -o bind /tmp/evil \(place) && cat \(place)
            """
        let container = try TestContainer(Self.onSharedMounts, ["sh", "-c", script])
        container.grant("CAP_SYS_ADMIN")
        container.spec.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"]
        if hasUserNamespace {
            container.spec.linux.namespaces.append(LinuxNamespace(.user))
            let mapping = LinuxIDMapping(containerID: 0, hostID: 0, size: 65536)
            (container.spec.linux.uidMappings, container.spec.linux.gidMappings) = ([mapping], [mapping])
        }
        let result = try container.run()
        #expect(result.output == "0\nevil\n1:3\n", "\(result.errors)")
    }

    @Test("A mount's own propagation is for those inside; what the container mounts in it the host does not see")
    func sharedVolume() throws {
        let script = "mount -t tmpfs tmpfs /volume/place && mount | grep -c /volume/place"
        let container = try TestContainer(Self.onSharedMounts, ["sh", "-c", script])
        container.grant("CAP_SYS_ADMIN")
        let folder = "\(container.folder)/volume"
        try Directory.create("\(folder)/place")
        container.spec.mounts.append(
            RuntimeMount(destination: "/volume", source: folder, options: ["rbind", "rshared"]))
        var runtime = Self.onSharedMounts
        runtime.launcher[6] = "mount --make-rshared / && \"$@\"; grep -c \(folder) /proc/self/mountinfo"
        try container.write()
        let result = try runtime.run(["run", container.id], root: container.root, in: container.bundle)
        #expect(result.output == "1\n0\n", "\(result.errors)")
    }

    @Test("Standard streams that are the null device are the container's own, of its first process and of an exec")
    func streams() throws {
        let before = try self.null()
        let look = "stat -L -c %d:%i /proc/self/fd/0 /dev/null"
        let container = try self.container(["sh", "-c", "\(look) > /tmp/first; sleep 60"])
        let input = OwnedDescriptor(try Descriptor.open("/dev/null", O_RDWR))
        try container.write()
        let created = try Self.runtime.run(
            ["create", container.id], root: container.root, in: container.bundle, input: input.descriptor)
        #expect(created.code == 0, "\(created.errors)")
        #expect(try container.command("start", container.id).code == 0)
        func exec(_ words: [String]) throws -> RuntimeUnderTest.Result {
            try Self.runtime.run(["exec", container.id] + words, root: container.root, input: input.descriptor)
        }
        let own = try exec(["sh", "-c", look])
        let numbers = Set(own.output.split(separator: "\n"))
        #expect(numbers.count == 1, "\(own.output)\(own.errors)")
        #expect(!numbers.contains("\(before.st_dev):\(before.st_ino)"))
        let first = try exec(["cat", "/tmp/first"])
        #expect(Set(first.output.split(separator: "\n")) == numbers, "\(first.errors)")
        // Without one of its own it gets the host's, which it cannot change.
        _ = try exec(["rm", "/dev/null"])
        let result = try exec(Self.attempt("/proc/self/fd/0").map { $0.replacing("2>/dev/null", with: "2>/tmp/null") })
        #expect(result.output == "used\n", "\(result.errors)")
        try expectNullAsItWas(before)
    }

    @Test(
        "CVE-2026-88265: a link in the null device's place makes no file a standard stream, nor changes its owner",
        arguments: [true, false])
    func linkedNull(ofImage: Bool) throws {
        let container = try self.container(["sh", "-c", "echo escaped; sleep 60"])
        let host = try container.hostFolder()
        container.spec.mounts.append(RuntimeMount(destination: "/given", source: host, options: ["bind"]))
        if ofImage {
            container.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            container.spec.process?.user.uid = 1000
            try container.link("/dev/null", to: "/given/secret")
        }
        try container.write()
        // With the host's null device as its streams. The node cannot be made in the link's place, which ends the first.
        let run = OwnedDescriptor(
            try Self.runtime.begin(
                ["run", "--detach", container.id], root: container.root, in: container.bundle, environment: []))
        #expect(try PidFD.reap(run.descriptor) == (ofImage ? 1 : 0))
        if !ofImage {
            _ = try container.exec("sh", "-c", "rm /dev/null; /bin/busybox ln -s /given/secret /dev/null")
            let exec = OwnedDescriptor(
                try Self.runtime.begin(
                    ["exec", "--user", "1000", container.id, "echo", "escaped"], root: container.root,
                    in: container.bundle, environment: []))
            #expect(try PidFD.reap(exec.descriptor) == 0)
        }
        var facts = stat()
        try kernelCall("stat", host) { stat("\(host)/secret", &facts) }
        #expect(facts.st_uid == 0)
        try container.expectHostUntouched(host)
    }
}
