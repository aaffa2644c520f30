import EngineAPI
import EngineContract
import Foundation
import PeerEngines
import RemoteEngine
import Testing

/// The contract on podman's service, through `RemoteEngine`. What differs there is listed with its reason.
@Suite(
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: PodmanService.missing == nil, "not installed: \(PodmanService.missing ?? "")"), .serialized,
    .timeLimit(.minutes(15)))
struct PodmanContractTests {
    /// Rule and reason, for Debian's podman 4.3.
    static let differences: [String: PeerContract.Difference] = [
        "A container is created, listed, run, and gone when removed":
            .always("in other words"),
        "Each step from the request to the running process is kept with its time, in order":
            .always("Docker's API does not tell the steps"),
        "A name names one container; renamed, it is found by the new name alone": .always("in other words"),
        "A further process takes input and may have a terminal":
            .sometimes("the terminal's size comes after the process's start"),
        "A paused container is killed as one that runs":
            .always("a paused container is not cleaned up after its end"),
        "A paused container can be stopped":
            .always("a paused container is not cleaned up after its end"),
        "A running container is removed only by force":
            .always("in other words"),
        "A container made to remove itself is gone after its end":
            .always("the wait for its removal tells of no exit code"),
        "A signal is sent by name or number; a killed container has ended":
            .always("in other words"),
        "A further process runs in the container, with its own output and exit code":
            .always("an exit code is told before the start"),
        "A detached process runs on without anybody":
            .always("a detached process's end is told of five minutes later"),
        "No further process in a container that does not run, and none that is not there":
            .always("in other words"),
        "Events tell what happened to a container, in order":
            .always("no events come for a container by its name"),
        "The process table has the container's processes and no others":
            .always("only the header's line comes of busybox's ps"),
        "The list is filtered by name, state, label and image":
            .always("an image's name has `docker.io/` before it"),
        "Environment, directory, user and host name are as given":
            .always("HOME is the working directory for who has no home"),
        "The container has a pid namespace, a network of its own and its own files in /etc":
            .always("/etc/hostname and /etc/hosts are written otherwise"),
        "The root is copied out with all that is in it, under its own name":
            .always("the root is called `.`"),
        "The root of what runs is copied out whole, but for what the kernel shows in it":
            .always("the root is called `.`"),
        "Limits of files and processes hold":
            .always("it raises the limit of processes, which not every root may"),
        "A program that takes more memory than it may is killed, and that is told":
            .always("it is not told under runc and cgroups of version 1"),
        "Who is not there is said not to be":
            .always("in other words"),
        "A program that is not there gives 127, one that cannot be executed 126":
            .always("a start that fails leaves no exit code"),
        "What is out of range is refused in docker's words, and leaves nothing":
            .always("limits are not looked at before the start"),
        "A user that the image does not know is refused at the start":
            .always("with status 500"),
        "The starter image is listed and inspected, and one that is not there is said not to be":
            .always("an image's name has `docker.io/` before it"),
        "A policy does not go with removal at the end":
            .always("with status 500, in other words"),
        "Limits change while it runs, and stay for the next run":
            .always("4.3 has no route for it"),
        "Limits are taken away while it runs, and stay away": .always("4.3 has no route for it"),
        "A directory is listed with what is directly in it, running or stopped, through a link, too":
            .always("its archive of a directory's contents does not begin with the directory"),
        "What an update asks wrongly changes nothing":
            .always("4.3 has no route for it"),
        "A container whose check succeeds is healthy, one whose check fails too often is not":
            .always("checks are timers of systemd, which need not be there"),
        "A check that takes too long is ended and counts as failed":
            .always("checks are timers of systemd, which need not be there"),
        "A container joins another's pid namespace, which must run":
            .always("found out at the start only"),
        "Another's ipc namespace must be there and free to be shared":
            .always("found out at the start only"),
        "An init process comes first, and reaps whom the program leaves behind":
            .always("Debian has catatonit elsewhere than podman looks for it"),
        "A device that is given can be used, others cannot":
            .always("a device keeps the path that it has on the machine"),
        "A system-call profile of one's own holds":
            .always("a profile is a file's name, not its text"),
        "Paths of /proc are hidden unless it is said otherwise":
            .always("its list of hidden paths is another"),
        "A runtime that nobody knows is refused by its name":
            .always("the API's choice of a runtime is not looked at"),
        "A tree copied out of one container and into another is the same there, running or stopped":
            .always("a copy into a place that is not there makes it"),
        "A name with a slash behind it is a directory's":
            .always("a slash behind a file's name is passed over"),
        "A link in a container leads nowhere but into the container":
            .always("in other words"),
        "What is read-only is not copied into":
            .always("with status 500"),
        "What is copied into a volume of a container that does not run is in the volume":
            .always("a volume is not looked into before the first start"),
        "What a container has changed is told, and all of it exported":
            .always("in another order"),
        "An image made from a container has all its changes, and runs as it was told":
            .always("an image's name has `docker.io/library/` before it"),
        "A container that runs is committed while it rests, and runs on; one without changes adds no layer":
            .always("a layer is added without changes, too"),
        "A commit with a bad change or name is refused, and makes nothing":
            .always("with status 500, in other words"),
        "The disk usage tells of what images share, containers write and volumes hold":
            .always("it does not tell who uses a volume"),
        "Images are listed by their age, their labels and their lack of a name":
            .always("a commit's HEALTHCHECK is not understood"),
        "A volume and a network are told of as they come to a container and go from it, in order":
            .always("no events come for a span of time"),
        "What is looked at and entered is told of":
            .always("no events come for a span of time"),
        "An image's life is told of by its id, and a prune by what it gave back":
            .always("no events come for a span of time"),
        "An image that is saved and loaded again is the same, with all its names":
            .always("in other words"),
        "What is exported of a container can be imported, and runs as it was told":
            .always("an image's name has `docker.io/library/` before it"),
        "An archive that is none, or is cut off, is refused, and nothing of it is kept":
            .always("with status 500"),
        "The driver local keeps every byte, both streams, and times that sort, over a rotation":
            .always("there is no driver `local`"),
        "A json-file can tell of tag, labels and variables, and is read all the same":
            .always("the container's output breaks off"),
        "A name is one image's: given to another it leaves the first": .always("a bad name has status 500"),
        "Who stops a container is obeyed, whatever its policy, running or between two runs":
            .sometimes("the policy may begin another run after the stop"),
    ]

    @Test("podman's service keeps the contract but for the differences that are listed")
    func contract() async throws {
        let podman = try await PodmanService()
        await PeerContract.check(podman.engine, Self.differences)
        try await podman.end()
    }
}
