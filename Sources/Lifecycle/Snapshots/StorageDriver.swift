import Glibc
import Linux

/// How layers are kept and roots made, by docker's names.
package enum StorageDriver: String, Hashable, Sendable, CaseIterable {
    /// Each layer once, stacked by the kernel.
    case overlay = "overlay2"
    /// The same, stacked by a program in user space.
    case fuseOverlay = "fuse-overlayfs"
    /// Whole copies.
    case copy = "vfs"

    /// Whether it can use layers of another one. The program knows the kernel's marks, and the kernel not the program's.
    fileprivate func reads(_ other: StorageDriver) -> Bool {
        self == other || (self == .fuseOverlay && other == .overlay)
    }
}

/// The snapshotter of a data root: the one that is wanted, else the one that made what is there, else the first that works.
package struct ChosenSnapshotter: Sendable {
    package let snapshots: any Snapshotter
    package let driver: StorageDriver
    /// What the user should know of the choice; nil where the kernel stacks layers, or the user has chosen now.
    package let note: String?

    /// Blocking. Tries overlayfs out once in each boot: what forbids it is a fact of the machine.
    ///
    /// - Parameters:
    ///   - path: the directory of snapshots, made where it is missing.
    ///   - wanted: of the user's choosing.
    /// - Throws: where the wanted one does not work, or is not the one of the images that are there.
    package static func open(path: String, wanted: StorageDriver?) throws(SnapshotError) -> ChosenSnapshotter {
        let directory = try kernel { () throws(KernelError) in try SnapshotDirectory(path: path) }
        let record = DriverRecord(path: path)
        let made = try kernel { () throws(KernelError) in try record.driver(of: directory) }
        return try choose(path, wanted, made: made, record)
    }

    private static func choose(
        _ path: String, _ wanted: StorageDriver?, made: StorageDriver?, _ record: DriverRecord
    ) throws(SnapshotError) -> ChosenSnapshotter {
        func open(_ driver: StorageDriver, note: String? = nil) throws(SnapshotError) -> ChosenSnapshotter {
            try ChosenSnapshotter.open(driver, path, made: made, record, note: note)
        }
        if let wanted {
            if let made, !wanted.reads(made) { throw .otherDriver(found: made, wanted: wanted) }
            return try open(wanted)
        }
        if let made, made != .overlay {
            return try open(
                made,
                note: "storage driver \(made.rawValue), which is slower than overlay2, since it made what is there: "
                    + "overlay2 is tried again when no image and no container is left")
        }
        let failure: SnapshotError
        do throws(SnapshotError) { return try open(.overlay) } catch {
            guard case .overlayUnavailable = error else { throw error }
            failure = error
        }
        do throws(SnapshotError) {
            let note = "storage driver fuse-overlayfs, which is slower: \(failure)"
            return try open(.fuseOverlay, note: note)
        } catch {
            // What is there cannot be used without either.
            guard made == nil, case .overlayUnavailable(let reason) = error else { throw failure }
            let note = "storage driver vfs, which copies each image for each container: \(failure); \(reason)"
            return try open(.copy, note: note)
        }
    }

    private static func open(
        _ driver: StorageDriver, _ path: String, made: StorageDriver?, _ record: DriverRecord, note: String?
    ) throws(SnapshotError) -> ChosenSnapshotter {
        func overlay(_ assembly: OverlayAssembly) throws(SnapshotError) -> ChosenSnapshotter {
            // What the kernel made is its own until the program changes something: the next start may choose anew.
            let takesOver = made != nil && made != driver
            var whenUsed: (@Sendable () throws(KernelError) -> Void)?
            if takesOver {
                whenUsed = { () throws(KernelError) in
                    let now = DriverRecord(path: path)
                    try now.write(driver, proven: now.proven)
                }
            }
            let snapshots = try OverlaySnapshotter(path: path, assembly: assembly, whenUsed: whenUsed)
            let works = record.proven == driver ? true : try snapshots.tryOut()
            // On a full disk the next start tries it out again.
            try? record.write(made ?? driver, proven: works ? driver : nil)
            return ChosenSnapshotter(snapshots: snapshots, driver: driver, note: note)
        }
        switch driver {
        case .overlay: return try overlay(.kernel)
        case .fuseOverlay:
            guard let program = program(driver.rawValue) else {
                throw .overlayUnavailable(
                    "fuse-overlayfs is not installed, or not in PATH (Debian: apt install fuse-overlayfs)")
            }
            return try overlay(.program(program))
        case .copy:
            let snapshots = try CopySnapshotter(path: path)
            try? record.write(driver, proven: nil)  // As above.
            return ChosenSnapshotter(snapshots: snapshots, driver: driver, note: note)
        }
    }

    /// The first of that name in PATH.
    private static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
    }
}

/// `.driver` in the directory of snapshots: which driver made what is there, and which one was tried out in which boot.
private struct DriverRecord: Sendable {
    private let file: String
    private let bootID: String
    private let words: [String]

    init(path: String) {
        file = "\(path)/.driver"
        func text(_ path: String) -> String {
            // A data root of before has no such file; and without /proc every start is a new one.
            String(decoding: (try? FileContents.read(path, limitBytes: 256)) ?? [], as: UTF8.self)
        }
        bootID = text("/proc/sys/kernel/random/boot_id").filter { $0 != "\n" }
        words = text(file).split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    /// What has worked in this boot.
    var proven: StorageDriver? {
        words.count == 3 && words[2] == bootID ? StorageDriver(rawValue: words[1]) : nil
    }

    /// Nil where nothing was made yet.
    func driver(of directory: SnapshotDirectory) throws(KernelError) -> StorageDriver? {
        if try directory.layers().isEmpty, try directory.roots().isEmpty { return nil }
        return words.first.flatMap(StorageDriver.init(rawValue:)) ?? .overlay
    }

    func write(_ made: StorageDriver, proven: StorageDriver?) throws(KernelError) {
        let text = made.rawValue + (proven.map { " \($0.rawValue) \(bootID)" } ?? "") + "\n"
        guard text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init) != words else { return }
        try FileContents.replace(file, with: Array(text.utf8))
    }
}
