import EngineAPI
import Faults
import Images
import Networking
import Storage
import Tasks

/// What every container of an engine shares.
package struct LifecycleContext: Sendable {
    package var store: MetadataStore
    package var events: EventLog
    package var tasks: any TaskService
    package var images: any ImageService
    package var networks: NetworkService
    package var volumes: VolumeService
    package var index: ContainerIndex
    package var host: HostFacts
    package var roots: EngineRoots
    package var bootID: String
    package var settings: CurrentSettings
    /// The program that `--init` puts before a container's own; nil where the machine has none.
    package var initPath: String?
    package var clock: any Clock<Duration>
    package var faults: FaultPlan
    /// Takes a line about something that nobody asked for and nobody else will tell.
    package var note: @Sendable (String) -> Void

    package init(
        store: MetadataStore, events: EventLog, tasks: any TaskService, images: any ImageService,
        networks: NetworkService, volumes: VolumeService,
        index: ContainerIndex, host: HostFacts, roots: EngineRoots, bootID: String, settings: CurrentSettings,
        initPath: String?, clock: any Clock<Duration>, faults: FaultPlan, note: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.events = events
        self.tasks = tasks
        self.images = images
        self.networks = networks
        self.volumes = volumes
        self.index = index
        self.host = host
        self.roots = roots
        self.bootID = bootID
        self.settings = settings
        self.initPath = initPath
        self.clock = clock
        self.faults = faults
        self.note = note
    }

    package var runtimes: RuntimeTable { settings.value.runtimes }
}
