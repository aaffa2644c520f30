import Glibc

/// The names that a layer holds, and the times of its directories. Each name is kept once, with the directory that it is
/// in: a long path takes no more memory than its last name, and a member that comes again takes none.
struct LayerNames {
    /// A directory by its place among the names; nil is the root.
    private typealias Place = Int32?

    private struct Name: Hashable {
        let directory: Place
        let name: [UInt8]
    }

    private var places: [Name: Int32] = [:]
    private var names: [Name] = []
    private var times: [Place: (order: Int, time: timespec)] = [:]
    private var timeCount = 0

    var count: Int { names.count }

    /// With all directories on the way.
    mutating func insert(_ path: EntryPath) { _ = place(making: path) }

    func contains(_ path: EntryPath) -> Bool {
        var place: Place = nil
        for component in path.components {
            guard let next = places[Name(directory: place, name: component)] else { return false }
            place = next
        }
        return true
    }

    /// Of a directory that comes again the last one counts.
    mutating func setTime(_ time: timespec, of directory: EntryPath) {
        times[place(making: directory)] = (timeCount, time)
        timeCount += 1
    }

    /// Gives the directories in the order in which their times were set: by a link one may have two paths.
    func forEachTime<Failure: Error>(_ body: (EntryPath, timespec) throws(Failure) -> Void) throws(Failure) {
        for (place, (_, time)) in times.sorted(by: { $0.value.order < $1.value.order }) { try body(path(place), time) }
    }

    private mutating func place(making path: EntryPath) -> Place {
        var place: Place = nil
        for component in path.components {
            let name = Name(directory: place, name: component)
            if let known = places[name] {
                place = known
            } else {
                let next = Int32(names.count)
                places[name] = next
                names.append(name)
                place = next
            }
        }
        return place
    }

    private func path(_ place: Place) -> EntryPath {
        var components: [[UInt8]] = []
        var place = place
        while let number = place {
            let name = names[Int(number)]
            components.append(name.name)
            place = name.directory
        }
        return EntryPath(joining: components.reversed())
    }
}
