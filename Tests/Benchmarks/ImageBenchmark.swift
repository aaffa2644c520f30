import Foundation

/// Load and pull of one layer of about 204 MB on tmpfs, by Gantry, docker and podman; a second pull that finds all there.
func benchmarkImages(rounds: Int) throws {
    let folder = "/dev/shm"
    let gantry = try GantryContestant(in: folder)
    defer { gantry.close() }
    let docker = try DockerContestant(rootTar: try makeRootFileSystem(below: gantry.root).tar, in: folder)
    defer { docker.close() }
    let podman = try PodmanContestant(in: folder)
    defer { podman.close() }
    let registry = try RegistryServer(in: folder)
    defer { registry.close() }
    let daemon = try gantry.startDaemon()
    defer { daemon.end() }

    let name = registry.address + "/big:latest"
    let layer = try makeLargeLayer(below: gantry.root)
    let archive = gantry.root + "/big.tar"
    try gantry.contender.run(gantry.command("import", layer, name))
    try gantry.contender.run(gantry.command("save", "-o", archive, name))
    try gantry.contender.run(gantry.command("push", name))

    let sides: [ImageSide] = [
        ImageSide("gantry", gantry.contender) { gantry.command($0) },
        ImageSide("docker", docker.contender) { docker.command($0) },
        ImageSide("podman", podman.contender) { words in
            podman.command(words[0] == "pull" ? ["pull", "--tls-verify=false"] + words.dropFirst() : words)
        },
    ]
    var costs: [String: [ImageWork: [Cost]]] = [:]
    for _ in 0..<max(3, rounds / 4) {
        for side in sides {
            for (work, cost) in try side.round(name: name, archive: archive) {
                costs[side.name, default: [:]][work, default: []].append(cost)
            }
        }
    }
    let size = Double(try FileManager.default.attributesOfItem(atPath: layer)[.size] as? Int ?? 0) / 1e6
    for work in ImageWork.allCases {
        report(
            "\(work.rawValue), one layer of \(Int(size)) MB, tmpfs, median (min-max) ms",
            sides.map { ($0.name, figures(costs[$0.name]?[work] ?? [])) })
    }
}

private enum ImageWork: String, CaseIterable {
    case load = "load of a docker archive"
    case pull = "pull from a registry on loopback"
    case again = "pull of what is there"
}

private struct ImageSide {
    let name: String
    let contender: Contender
    let command: ([String]) -> [String]

    init(_ name: String, _ contender: Contender, _ command: @escaping ([String]) -> [String]) {
        self.name = name
        self.contender = contender
        self.command = command
    }

    func round(name: String, archive: String) throws -> [(ImageWork, Cost)] {
        _ = try? contender.run(command(["rmi", "-f", name]))
        let load = try contender.run(command(["load", "-i", archive]))
        try contender.run(command(["rmi", "-f", name]))
        let pull = try contender.run(command(["pull", name]))
        let again = try contender.run(command(["pull", name]))
        return [(.load, load), (.pull, pull), (.again, again)]
    }
}

/// A tar archive of about 204 MB of this machine's own libraries and programs, with a shell.
private func makeLargeLayer(below directory: String) throws -> String {
    let tar = directory + "/layer.tar"
    let script = """
        set -e
        find /usr/lib /usr/bin /usr/share -xdev -type f -size -4096k -printf '%s\\t%p\\n' |
            awk -F'\\t' '{ total += $1 + 1024; if (total > 204000000) exit; print $2 }' >\(directory)/files
        tar -cf \(tar) --no-recursion -T \(directory)/files 2>/dev/null
        """
    let shell = try Contender("layer")
    defer { shell.close() }
    try shell.run(["/bin/sh", "-c", script])
    return tar
}
