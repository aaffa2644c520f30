import EngineAPI
import EngineContract
import Foundation
import PeerEngines
import RemoteEngine
import Testing

/// The contract on docker's own engine, through `RemoteEngine`. What differs there is listed with its reason.
@Suite(
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: Dockerd.missing == nil, "not installed: \(Dockerd.missing ?? "")"), .serialized,
    .timeLimit(.minutes(10)))
struct DockerdContractTests {
    /// Rule and reason, for Debian's docker 20.10.
    static let differences: [String: PeerContract.Difference] = [
        "A container is created, listed, run, and gone when removed":
            .sometimes("it takes the end's time from the monitor and the start's later from itself"),
        "Each step from the request to the running process is kept with its time, in order":
            .always("Docker's API does not tell the steps"),
        "A paused container stands still, and goes on": .always("`is not paused` has status 500 there"),
        "A running container is removed only by force": .always("in other words"),
        "A further process runs in the container, with its own output and exit code":
            .always("20.10 lets a further process begin twice over"),
        "A further process takes input and may have a terminal":
            .sometimes("the terminal's size comes after the process's start"),
        "A user that the image does not know is refused at the start": .always("with status 500"),
        "Limits change while it runs, and stay for the next run":
            .always("memory is not raised above the limit of memory and swap that the first limit has set"),
        "Limits are taken away while it runs, and stay away": .always("no limit of memory can be taken away there"),
        "A container joins another's pid namespace, which must run": .always("with status 500, in other words"),
        "Another's ipc namespace must be there and free to be shared": .always("with status 500"),
        "A device that is given can be used, others cannot": .always("with status 500"),
        "A system-call profile of one's own holds": .always("a profile that is none is found out at the start only"),
        "A runtime that nobody knows is refused by its name": .always("in other words"),
        "What is read-only is not copied into": .always("with status 500"),
        "What a container has changed is told, and all of it exported":
            .always("20.10 tells of a directory whose file is a mount point"),
        "A container that runs is committed while it rests, and runs on; one without changes adds no layer":
            .always("the pause lasts until the commit is told of"),
        "A program that takes more memory than it may is killed, and that is told":
            .sometimes("20.10 may learn of the end before it learns why"),
        "The disk usage tells of what images share, containers write and volumes hold":
            .always("it does not tell who uses a volume"),
        "Images are listed by their age, their labels and their lack of a name": .always(
            "20.10 knows no `until` there"),
        "A commit with a bad change or name is refused, and makes nothing": .always("in other words"),
        "A volume and a network are told of as they come to a container and go from it, in order":
            .always("this one has no bridge to tell of"),
        "What is looked at and entered is told of":
            .sometimes("20.10 may tell of a process's end after its container's"),
        "An image's life is told of by its id, and a prune by what it gave back":
            .always("20.10 tells of an image by its name, and of no prune"),
        "An archive that is none, or is cut off, is refused, and nothing of it is kept": .always("with status 500"),
        "A json-file can tell of tag, labels and variables, and is read all the same":
            .always("a bad tag has status 500, in other words"),
        "A name is one image's: given to another it leaves the first": .always("a bad name has status 500"),
    ]

    @Test("docker's own engine keeps the contract but for the differences that are listed")
    func contract() async throws {
        let dockerd = try await Dockerd()
        await PeerContract.check(dockerd.engine, Self.differences)
        try dockerd.end()
    }
}
