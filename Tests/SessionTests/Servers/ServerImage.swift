import Glibc

/// An image of the files that Debian's packages put on this machine: programs, the libraries that they load, and a shell.
struct ServerImage {
    let name: String
    let programs: [String]
    /// Folders that are taken whole.
    var folders: [String] = []
    /// Run by sh in the image's root before it is packed.
    var finish = ":"

    static let redis = ServerImage(name: "redis", programs: ["/usr/bin/redis-server", "/usr/bin/redis-cli"])
    static let nginx = ServerImage(
        name: "nginx", programs: ["/usr/sbin/nginx"], finish: "mkdir -p var/log/nginx var/lib/nginx srv")
    static let postgres = ServerImage(
        name: "postgres",
        programs: ["postgres", "initdb"].map { "\(postgresFolder)/bin/\($0)" }
            + ["plpgsql", "dict_snowball"].map { "\(postgresFolder)/lib/\($0).so" },
        folders: [postgresFolder.replacing("/lib/", with: "/share/"), "/usr/share/zoneinfo/Etc"],
        finish: "mkdir -p var/lib/postgresql; chown 70:70 var/lib/postgresql")

    /// Where Debian has the server of whichever version is installed.
    static let postgresFolder: String = {
        let found = try? Spawner.output(of: Spawner.shell("ls -d /usr/lib/postgresql/*/ | tail -n 1")).output
        return found.map { String($0.dropLast(2)) } ?? ""
    }()

    /// What is not installed of what the tests need.
    static func missing(_ needed: String...) -> String? {
        SessionBench.missing ?? needed.first { access($0, X_OK) != 0 }
    }

    /// Packs the files and imports them as `debian/NAME`.
    func make(_ bench: SessionBench) throws {
        let folder = "\(bench.root)/image-\(name)"
        let script = """
            set -e
            mkdir -p \(folder) && cd \(folder) && mkdir -p bin etc tmp run usr/bin && chmod 1777 tmp
            cp /bin/busybox bin/busybox
            for name in sh cat mkdir sleep; do ln -s busybox bin/$name; done
            printf 'root:x:0:0:root:/root:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\npostgres:x:70:70::/:/bin/sh\\n' \
                > etc/passwd
            printf 'root:x:0:\\nnogroup:x:65534:\\npostgres:x:70:\\n' > etc/group
            for file in \(programs.joined(separator: " ")); do
                for part in $file $(ldd $file | grep -o '/[^ )]*'); do
                    mkdir -p .${part%/*} && cp -L $part .$part
                done
            done
            for folder in \(folders.joined(separator: " ")); do
                mkdir -p .$folder && cp -RL $folder/. .$folder
            done
            \(finish)
            tar -cf ../\(name).tar .
            """
        let made = try Spawner.output(of: Spawner.shell(script))
        guard made.errors.isEmpty else { throw SessionFailure(description: "pack \(name): \(made.errors)") }
        try bench.succeed("import", "\(bench.root)/\(name).tar", "debian/\(name)")
    }
}
