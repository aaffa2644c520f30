import AsyncIO
import EngineAPI
import Linux

/// A container's end.
extension NetworkService {
    /// After a container's end, or a start that failed: addresses and ports are free.
    package func release(_ containerID: String) async {
        do throws(EngineError) { try await load() } catch { return note("container \(containerID): \(error)") }
        await takeBack(containerID)
    }

    /// The same, while what is kept is still being read.
    func takeBack(_ containerID: String) async {
        let path = roots.configuration(containerID)
        await BlockingPool.shared.run { NameFiles.remove(path) }
        let active = (endpoints[containerID] ?? []).filter(\.isActive)
        guard !active.isEmpty else { return }
        // Where all is set again meanwhile, its ports are not.
        ending.insert(containerID)
        defer { ending.remove(containerID) }
        await changeQuietly(active.map(rules.removing).joined())
        if isFilterSet { forgetFlows(of: active) }
        // The devices go with the container's namespace, by the kernel, on the side: to delete them takes 30 ms.
        await deactivate(containerID, active)
        lookLater(for: active)
        guard !isFilterSet, active.contains(where: { !$0.ports.isEmpty }) else { return }
        // A former engine opened the ports: they must not lead to whoever gets the address next.
        do throws(EngineError) { try await prepareFilter() } catch { note("container \(containerID): \(error)") }
        forgetFlows(of: active)
    }

    private func deactivate(_ containerID: String, _ active: [EndpointRecord]) async {
        for record in active {
            for address in record.addresses { book.release(address, in: record.networkID) }
        }
        // What was being left when the container ended has been left.
        let left = active.filter { $0.change == .leaving }.map {
            NetworkIndexChange.deleteEndpoint(containerID: containerID, networkID: $0.networkID)
        }
        var records = (endpoints[containerID] ?? []).filter { $0.change != .leaving }
        for index in records.indices {
            records[index].isActive = false
            records[index].endpointID = ""
            records[index].ports = []
            records[index].change = nil
        }
        endpoints[containerID] = records
        do throws(EngineError) { try await index.apply(records.map(NetworkIndexChange.putEndpoint) + left) } catch {
            note("container \(containerID): \(error)")
        }
        for record in active { await writeNames(record.networkID) }
    }
}
