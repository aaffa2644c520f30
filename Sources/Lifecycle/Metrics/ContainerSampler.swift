import EngineAPI

/// Takes samples of one container's use of the machine.
package protocol ContainerSampler: AnyObject {
    /// The counters now; nil once there is nothing left to count.
    func sample(host: HostSample) -> ContainerStats?
}
