import CLinux
import Glibc
import Linux
import OCI
import Synchronization
import Testing

@testable import Runtime

/// What the tests of escapes share: something on the host that is worth stealing, and ways to see whether it was touched.
extension TestContainer {
    static let secretText = "the host's own\n"

    /// A folder of the host beside the bundle, with a file in it that nothing inside may read or change.
    func hostFolder() throws -> String {
        let path = "\(folder)/host"
        try Directory.create(path)
        try FileContents.replace("\(path)/secret", with: Array(Self.secretText.utf8), mode: 0o644, durable: false)
        return path
    }

    /// That the folder holds what it held, and no more.
    func expectHostUntouched(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try Directory.list(path).sorted() == ["secret"], sourceLocation: sourceLocation)
        let text = String(decoding: try FileContents.read("\(path)/secret"), as: UTF8.self)
        #expect(text == Self.secretText, sourceLocation: sourceLocation)
    }

    /// More of busybox's programs.
    func install(_ names: String...) {
        for name in names { symlink("busybox", "\(rootfs)/bin/\(name)") }
    }

    /// A link of the image, in place of what is there.
    func link(_ path: String, to target: String) throws {
        let place = "\(rootfs)\(path)"
        var facts = stat()
        if lstat(place, &facts) == 0 {
            if facts.st_mode & S_IFMT == S_IFDIR { rmdir(place) } else { unlink(place) }
        }
        try kernelCall("symlink", place) { symlink(target, place) }
    }

    func grant(_ names: String...) {
        for set in [\RuntimeCapabilities.bounding, \.effective, \.permitted] {
            spec.process?.capabilities?[keyPath: set] += names
        }
    }

    /// Where a path of the host would be seen from inside if the container could climb out of its root.
    var wayOut: String { String(repeating: "../", count: 24) }
}

/// Exchanges two names as fast as it can, as an attacker who shares a directory with a container that is being made.
final class Exchanger: Sendable {
    private let first: String
    private let second: String
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)
    private let rounds = Atomic<Int>(0)

    var count: Int { rounds.load(ordering: .relaxed) }

    init(_ first: String, _ second: String) {
        (self.first, self.second) = (first, second)
        var thread = pthread_t()
        let own = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let exchanger = Unmanaged<Exchanger>.fromOpaque(argument).takeRetainedValue()
                while !exchanger.isOver.load(ordering: .relaxed) {
                    // RENAME_EXCHANGE 2.
                    _ = gantry_renameat2(AT_FDCWD, exchanger.first, AT_FDCWD, exchanger.second, 2)
                    exchanger.rounds.add(1, ordering: .relaxed)
                }
                exchanger.hasEnded.store(true, ordering: .releasing)
                return nil
            }, own)
        pthread_detach(thread)
    }

    /// Returns once the names stand still.
    func stop() {
        isOver.store(true, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) { sched_yield() }
    }
}
