import EngineAPI
import Images
import OCI

/// What an image says about containers made from it: the `config` of its configuration.
package struct ImageDefaults: Hashable, Sendable {
    package var entrypoint: [String] = []
    package var command: [String] = []
    package var environment: [String] = []
    package var workingDirectory = ""
    package var user = ""
    package var stopSignal: String?
    package var labels: [String: String] = [:]
    package var healthCheck: HealthCheck?
    package var ports: [String] = []
    package var volumes: [String] = []

    package init() {}
}

extension ImageDefaults {
    package init(_ execution: ImageExecution) {
        entrypoint = execution.entrypoint
        command = execution.command
        environment = execution.environment
        workingDirectory = execution.workingDirectory
        user = execution.user
        stopSignal = execution.stopSignal
        labels = execution.labels.dictionary
        ports = execution.exposedPorts
        volumes = execution.volumes
        healthCheck = execution.healthCheck
    }
}
