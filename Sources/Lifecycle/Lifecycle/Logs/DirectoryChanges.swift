import AsyncIO
import Glibc
import Linux
import Synchronization

/// Tells of what changes in directories: writes to their files, and names that come.
///
/// One inotify(7) instance serves all watches, for of instances a user has 128 together in all programs, of watches tens of
/// thousands. It is there while something is watched.
final class DirectoryChanges: Sendable {
    static let shared = DirectoryChanges()

    private struct Instance {
        let descriptor: WatchedDescriptor
        let reading: Task<Void, Never>
        /// By the kernel's number, which is one for each directory.
        var directories: [Int32: (signal: ChangeSignal, watchers: Int)] = [:]
    }

    private let instance = Mutex<Instance?>(nil)

    /// Somebody's look at a directory, until it is let go of.
    final class Watch: Sendable {
        /// Notified of each change.
        let signal: ChangeSignal
        private let number: Int32
        private let owner: DirectoryChanges

        fileprivate init(_ signal: ChangeSignal, _ number: Int32, _ owner: DirectoryChanges) {
            (self.signal, self.number, self.owner) = (signal, number, owner)
        }

        deinit { owner.end(number) }
    }

    /// inotify_add_watch(2). No change after the call goes unseen.
    func watch(_ directory: String) throws(KernelError) -> Watch {
        let (signal, number) = try instance.withLock { (instance) throws(KernelError) in
            var opened: Instance
            if let known = instance { opened = known } else { opened = try open() }
            let mask = UInt32(IN_MODIFY) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE_SELF)
            let number: Int32
            do throws(KernelError) {
                number = try opened.descriptor.withDescriptor { (descriptor) throws(KernelError) in
                    try kernelCall("watch", directory) { inotify_add_watch(descriptor.rawValue, directory, mask) }
                }
            } catch {
                if opened.directories.isEmpty { close(&instance, opened) }
                throw error
            }
            var entry = opened.directories[number] ?? (ChangeSignal(), 0)
            entry.watchers += 1
            opened.directories[number] = entry
            instance = opened
            return (entry.signal, number)
        }
        return Watch(signal, number, self)
    }

    private func open() throws(KernelError) -> Instance {
        let number = try kernelCall("inotify_init1") { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) }
        let descriptor: WatchedDescriptor
        do { descriptor = try WatchedDescriptor(Descriptor(rawValue: number)) } catch {
            Descriptor(rawValue: number).close()
            throw error
        }
        let reading = Task { [self] in
            do {
                while true {
                    try await descriptor.readable()
                    for number in try descriptor.withDescriptor(Self.changed) { tell(number) }
                }
            } catch {
                // Closed: nothing is watched any more.
            }
        }
        return Instance(descriptor: descriptor, reading: reading)
    }

    private func close(_ instance: inout Instance?, _ opened: Instance) {
        opened.reading.cancel()
        opened.descriptor.close()
        instance = nil
    }

    /// - Parameter number: -1 where the kernel had no room for what it had to tell.
    private func tell(_ number: Int32) {
        let signals = instance.withLock { instance in
            number < 0
                ? instance?.directories.values.map(\.signal) ?? []
                : [instance?.directories[number]?.signal].compactMap(\.self)
        }
        for signal in signals { signal.notify() }
    }

    private func end(_ number: Int32) {
        instance.withLock { instance in
            guard var opened = instance, var entry = opened.directories[number] else { return }
            entry.watchers -= 1
            guard entry.watchers == 0 else {
                opened.directories[number] = entry
                return instance = opened
            }
            opened.directories[number] = nil
            if opened.directories.isEmpty { return close(&instance, opened) }
            instance = opened
            // The directory may be gone, and the watch with it.
            try? opened.descriptor.withDescriptor { descriptor in _ = inotify_rm_watch(descriptor.rawValue, number) }
        }
    }

    /// Takes all that the kernel has to tell, and gives the directories that it is about.
    private static func changed(_ descriptor: Descriptor) -> Set<Int32> {
        var numbers: Set<Int32> = []
        var bytes = [UInt8](repeating: 0, count: 16384)
        // EAGAIN: all is taken.
        while let count = try? descriptor.read(into: &bytes), count > 0 {
            bytes.withUnsafeBytes { bytes in
                var position = 0
                while position + MemoryLayout<inotify_event>.size <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: position, as: inotify_event.self)
                    numbers.insert(event.wd)
                    position += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return numbers
    }
}
