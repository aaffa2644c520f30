import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// What the options of a mount do on the real kernel.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct MountContractTests {
    /// The options that the kernel shows for the mounts below a path, by the mounts' places.
    private static func shown(_ output: String) -> [String: MountEntry] {
        var found: [String: MountEntry] = [:]
        for entry in MountTable.parse(Array(output.utf8)) { found[entry.mountPoint] = entry }
        return found
    }

    /// A container that prints its mounts, with a source that has another mount below it.
    private static func container(_ runtime: RuntimeUnderTest, _ mounts: [[String]]) throws -> TestContainer {
        let container = try TestContainer(runtime, ["cat", "/proc/self/mountinfo"])
        let source = "\(container.folder)/source"
        try Directory.create("\(source)/below")
        for (index, options) in mounts.enumerated() {
            container.spec.mounts.append(
                RuntimeMount(destination: "/m\(index)", type: "bind", source: source, options: options))
        }
        return container
    }

    @Test("A bind mount's options are those of that mount alone", arguments: RuntimeUnderTest.all)
    func bindOptions(_ runtime: RuntimeUnderTest) throws {
        let table: [([String], [String])] = [
            (["bind", "ro"], ["ro", "relatime"]),
            (["bind", "nosuid", "nodev", "noexec"], ["rw", "nosuid", "nodev", "noexec", "relatime"]),
            (["bind", "noatime"], ["rw", "noatime"]), (["bind", "strictatime"], ["rw"]),
            (["bind", "nodiratime", "noatime"], ["rw", "noatime", "nodiratime"]),
            (["bind", "ro", "rw"], ["rw", "relatime"]),
        ]
        let container = try Self.container(runtime, table.map(\.0))
        let result = try container.run()
        let mounts = Self.shown(result.output)
        for (index, row) in table.enumerated() {
            #expect(mounts["/m\(index)"]?.options == row.1, "\(row.0): \(result.errors)")
        }
    }

    @Test("An option with r before it reaches the mounts below, one without does not", arguments: RuntimeUnderTest.all)
    func recursiveOptions(_ runtime: RuntimeUnderTest) throws {
        let table: [([String], [String])] = [
            (["rbind", "ro"], ["rw", "relatime"]), (["rbind", "rro"], ["ro", "relatime"]),
            (["rbind", "rnosuid", "rnodev", "rnoexec"], ["rw", "nosuid", "nodev", "noexec", "relatime"]),
            (["rbind", "rnoatime"], ["rw", "noatime"]), (["rbind", "rstrictatime"], ["rw"]),
            (["rbind", "rnoatime", "rrelatime"], ["rw", "relatime"]), (["rbind", "rro", "rrw"], ["rw", "relatime"]),
            (["rbind", "rnodiratime"], ["rw", "relatime", "nodiratime"]),
            (["rbind", "rnosymfollow"], ["rw", "relatime", "nosymfollow"]),
        ]
        let container = try Self.container(runtime, table.map(\.0))
        let below = "\(container.folder)/source/below"
        try Mount.mount("tmpfs", at: below, type: "tmpfs")
        defer { try? Mount.unmount(below, detach: true) }  // The folder goes next.
        let result = try container.run()
        let mounts = Self.shown(result.output)
        for (index, row) in table.enumerated() {
            // runc 1.1 knows no rnosymfollow, and of options that contradict each other lets no last one win.
            let isNews = !["rnosymfollow", "rrw", "rrelatime"].allSatisfy { !row.0.contains($0) }
            if runtime.name != RuntimeUnderTest.ours.name, isNews { continue }
            let shown = mounts["/m\(index)/below"]?.options.sorted()
            #expect(shown == row.1.sorted(), "\(row.0): \(result.errors)")
        }
    }

    @Test("New file systems get their flags and their data", arguments: RuntimeUnderTest.all)
    func newFileSystems(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["cat", "/proc/self/mountinfo"])
        container.spec.mounts += [
            RuntimeMount(
                destination: "/t0", type: "tmpfs", source: "named",
                options: ["noexec", "noatime", "size=64k", "mode=700"]),
            RuntimeMount(destination: "/t1", type: "tmpfs", source: "tmpfs", options: ["ro", "nosuid", "nodev"]),
            RuntimeMount(
                destination: "/t2", type: "tmpfs", source: "tmpfs", options: ["iversion", "lazytime", "dirsync"]),
            RuntimeMount(destination: "/t0", type: "tmpfs", source: "named", options: ["remount", "size=128k"]),
        ]
        let result = try container.run()
        let mounts = Self.shown(result.output)
        #expect(mounts["/t0"]?.source == "named", "\(result.errors)")
        #expect(mounts["/t0"]?.superOptions.contains("size=128k") == true)
        #expect(mounts["/t1"]?.options == ["ro", "nosuid", "nodev", "relatime"])
        #expect(mounts["/t2"]?.superOptions.contains("dirsync") == true)
        #expect(mounts["/t2"]?.superOptions.contains("lazytime") == true)
    }

    @Test("An option that no file system takes ends create, naming the mount", arguments: RuntimeUnderTest.all)
    func unknownOption(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.mounts.append(
            RuntimeMount(destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuchthing"]))
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("/t"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("A mount tells others of its own mounts as it was asked to", arguments: RuntimeUnderTest.all)
    func propagation(_ runtime: RuntimeUnderTest) throws {
        let container = try Self.container(
            runtime,
            [["bind", "shared"], ["bind", "private"], ["bind", "unbindable"], ["bind", "rshared", "rslave"]])
        let result = try container.run()
        let mounts = Self.shown(result.output)
        let kinds = (0..<4).map { index in
            (mounts["/m\(index)"]?.propagation ?? ["missing"]).map { $0.prefix { $0 != ":" } }
        }
        // And a slave of the host's, where that is shared.
        #expect(kinds[0].first == "shared" && kinds[0].dropFirst().allSatisfy { $0 == "master" }, "\(result.errors)")
        #expect(kinds[1] == [])
        #expect(kinds[2] == ["unbindable"])
        #expect(kinds[3].contains("shared") == false)
    }

    /// runc 1.1 makes no root shared or unbindable on a machine whose own root is private.
    @Test("The root has the propagation of the configuration")
    func rootPropagation() throws {
        for (name, expected) in [
            ("shared", "shared"), ("private", ""), ("unbindable", "unbindable"), ("rslave", ""), ("rprivate", ""),
        ] {
            let container = try TestContainer(.ours, ["cat", "/proc/self/mountinfo"])
            container.spec.linux.rootfsPropagation = name
            let result = try container.run()
            let root = try #require(Self.shown(result.output)["/"], "\(name): \(result.errors)")
            let kinds = root.propagation.map { String($0.prefix { $0 != ":" }) }
            #expect(kinds == (expected.isEmpty ? [] : [expected]), "\(name)")
        }
    }

    @Test("tmpcopyup fills the tmpfs with what it hides", arguments: RuntimeUnderTest.all)
    func copyUp(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "cat /data/inner/file; stat -c %a /data/inner"])
        try Directory.create("\(container.rootfs)/data/inner")
        chmod("\(container.rootfs)/data/inner", 0o711)
        try FileContents.replace(
            "\(container.rootfs)/data/inner/file", with: Array("kept\n".utf8), mode: 0o640, durable: false)
        container.spec.mounts.append(
            RuntimeMount(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro"]))
        let result = try container.run()
        #expect(result.output == "kept\n711\n", "\(result.errors)")
    }

    @Test("A bind mount takes no options of a file system, which the kernel would pass over")
    func bindData() throws {
        let container = try Self.container(.ours, [["bind", "size=1k"]])
        let result = try container.create()
        #expect(result.code == 1)
        #expect(result.errors.contains("bind mounts cannot have any filesystem-specific options"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("copy-symlink makes the link, without it its target is mounted")
    func copiedLink() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "busybox readlink /etc/copied; cat /etc/followed"])
        let link = "\(container.folder)/link"
        try FileContents.replace(
            "\(container.folder)/target", with: Array("text\n".utf8), mode: 0o644, durable: false)
        symlink("target", link)
        container.spec.mounts += [
            RuntimeMount(destination: "/etc/copied", source: link, options: ["bind", "copy-symlink"]),
            RuntimeMount(destination: "/etc/followed", source: link, options: ["bind"]),
        ]
        #expect(try container.run().output == "target\ntext\n")
        // The same link is there now; another file at its place would not be replaced.
        #expect(try container.run().output == "target\ntext\n")
        unlink("\(container.rootfs)/etc/copied")
        try FileContents.replace("\(container.rootfs)/etc/copied", with: [], durable: false)
        let result = try container.run()
        #expect(result.code == 1 && result.errors.contains("/etc/copied"), "\(result.errors)")
    }

    @Test("A SELinux context for mounts is refused where the kernel has no SELinux")
    func mountLabel() throws {
        guard access("/sys/fs/selinux/enforce", F_OK) != 0 else { return }
        let container = try TestContainer(.ours)
        container.spec.linux.mountLabel = "system_u:object_r:container_file_t:s0"
        let result = try container.create()
        #expect(result.errors.contains("linux.mountLabel: selinux is disabled"), "\(result.errors)")
    }

    @Test("A tmpfs over a directory of the image has its mode, unless it is given one", arguments: RuntimeUnderTest.all)
    func temporaryModes(_ runtime: RuntimeUnderTest) throws {
        // runc 1.1 sets the directory's mode also where another is given.
        let isOurs = runtime.name == RuntimeUnderTest.ours.name
        let places = ["/closed", "/sticky"] + (isOurs ? ["/given"] : []) + ["/new"]
        let container = try TestContainer(runtime, ["stat", "-c", "%a"] + places)
        for (place, mode) in [("/closed", mode_t(0o750)), ("/sticky", 0o1770), ("/given", 0o750)] {
            try Directory.create(container.rootfs + place)
            chmod(container.rootfs + place, mode)
        }
        for place in places {
            container.spec.mounts.append(
                RuntimeMount(
                    destination: place, type: "tmpfs", source: "tmpfs",
                    options: ["nosuid"] + (place == "/given" ? ["mode=0711"] : [])))
        }
        let result = try container.run()
        #expect(result.output == "750\n1770\n\(isOurs ? "711\n" : "")1777\n", "\(result.errors)")
    }

    @Test("A root that is a link, and a directory in the place of procfs, are refused", arguments: RuntimeUnderTest.all)
    func refusedPlaces(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        symlink("rootfs", "\(container.bundle)/link")
        container.spec.root?.path = "link"
        let linked = try container.create()
        #expect(linked.code == 1)
        #expect(linked.errors.contains("not an absolute path, or a symlink"), "\(linked.errors)")
        container.spec.root?.path = "rootfs"
        container.spec.mounts.removeAll { $0.destination == "/proc" }
        container.spec.mounts.append(
            RuntimeMount(destination: "/proc", type: "bind", source: container.folder, options: ["bind"]))
        let bound = try container.create()
        #expect(bound.code == 1)
        #expect(bound.errors.contains("not of type proc"), "\(bound.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("A mount over the whole root is refused", arguments: ["/", "../.."])
    func overRoot(_ destination: String) throws {
        let container = try TestContainer(.ours)
        container.spec.mounts.append(RuntimeMount(destination: destination, type: "tmpfs", source: "tmpfs"))
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("destination can't be '/'"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
