import AsyncIO
import Linux
import Netlink

/// Hears of it when a table of the packet filter may have been deleted, or has lost something, until it is let go of.
final class FilterWatch: Sendable {
    private let socket: WatchedDescriptor
    private let listening: Task<Void, Never>

    /// No loss after this goes unheard. Blocking.
    init(
        of table: String, in namespace: Descriptor?, onLoss: @escaping @Sendable ([FilterLoss]) async -> Void
    ) throws(KernelError) {
        let descriptor = try FilterNews.open(in: namespace)
        do throws(KernelError) { socket = try WatchedDescriptor(descriptor) } catch {
            descriptor.close()
            throw error
        }
        listening = Task { [socket] in await Self.listen(socket, FilterNews(of: table), onLoss) }
    }

    deinit {
        listening.cancel()
        socket.close()
    }

    private static func listen(
        _ socket: WatchedDescriptor, _ news: FilterNews, _ onLoss: @Sendable ([FilterLoss]) async -> Void
    ) async {
        var news = news
        // Until it is closed.
        while (try? await socket.readable()) != nil {
            var losses: [FilterLoss] = []
            // All that waits is one occasion to look.
            while let more = try? socket.withDescriptor({ (descriptor) throws(KernelError) in
                try news.readLosses(descriptor)
            }) {
                losses += more
            }
            if !losses.isEmpty { await onLoss(losses) }
        }
    }
}
