import Glibc

/// The directories of a cgroup and below it, one after the other: however long their paths are together, which those inside
/// decide, and while others make and remove some. Two descriptors are open at a time.
enum CgroupWalk {
    /// Calls `body` with each directory, opened for reading. One that goes meanwhile is left out with what is in it.
    static func visit(
        _ directory: String, _ body: (Descriptor) throws(KernelError) -> Void
    ) throws(KernelError) {
        guard let first = try open(directory) else { return }
        let top = OwnedDescriptor(first)
        var current = try top.descriptor.open(".", O_RDONLY | O_DIRECTORY)
        defer { current.close() }
        var way: [[CChar]] = []
        var remaining = [try enter(current, body)]
        while let level = remaining.indices.last {
            let next: Descriptor
            if let child = remaining[level].popLast() {
                guard let found = try TreeRemoval.open(child, in: current) else { continue }
                next = found
                way.append(child)
            } else {
                remaining.removeLast()
                if way.popLast() == nil { return }
                next = try above(current, &way, &remaining, below: top.descriptor)
            }
            current.close()
            current = next
            if way.count == remaining.count { remaining.append(try enter(current, body)) }
        }
    }

    private static func open(_ directory: String) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
        } catch  where error.isAboutGoneCgroup { return nil }
    }

    /// The directories in it.
    private static func enter(
        _ directory: Descriptor, _ body: (Descriptor) throws(KernelError) -> Void
    ) throws(KernelError) -> [[CChar]] {
        do throws(KernelError) {
            try body(directory)
            // A directory has a link more for each one in it, and most have none.
            if try directory.status().st_nlink == 2 { return [] }
            return try TreeRemoval.entries(of: directory).filter { $0.isDirectory == true }.map(\.name)
        } catch  where error.isAboutGoneCgroup { return [] }
    }

    /// The directory that the way leads to. One that was removed has no parent any more: that is looked for from the top
    /// then, and what is gone of the way as well has nothing more to be visited.
    private static func above(
        _ directory: Descriptor, _ way: inout [[CChar]], _ remaining: inout [[[CChar]]], below top: Descriptor
    ) throws(KernelError) -> Descriptor {
        if let parent = try TreeRemoval.open([46, 46, 0], in: directory) { return parent }
        while true {
            if let found = try reopen(way, below: top) { return found }
            way.removeLast()
            remaining.removeLast()
        }
    }

    private static func reopen(_ way: [[CChar]], below top: Descriptor) throws(KernelError) -> Descriptor? {
        var place = OwnedDescriptor(try top.open(".", O_RDONLY | O_DIRECTORY))
        for name in way {
            guard let next = try TreeRemoval.open(name, in: place.descriptor) else { return nil }
            place = OwnedDescriptor(next)
        }
        return place.release()
    }
}

extension KernelError {
    fileprivate var isAboutGoneCgroup: Bool { errno == .noSuchFile || errno == .noDevice }
}
