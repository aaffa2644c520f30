import ShimAPI

/// Between two engines. A client of ours goes on at the next one with an exec that it began at another, and is to miss
/// nothing: what the process writes meanwhile stays in its pipes, and is kept for a while where it ends.
///
/// A terminal shows again what it showed last, and what a container's first process writes is in its log.
///
/// Where nobody comes the input has nobody either who gives it: it ends, as it does when docker's client is killed.
extension ContainerSupervisor {
    /// An engine that ends lets go of its connections one by one, in any order.
    private static var farewellMilliseconds: Int64 { 1000 }
    /// What the next engine, and the client that finds it, may take.
    private static var successionMilliseconds: Int64 { 10_000 }

    /// The last who was attached to an exec is gone: its client alone, or the engine that it came by, which is seen by what
    /// becomes of that one's other connection.
    func awaitSuccessor(of process: SupervisedProcess) {
        guard process.execID != nil, process.process != nil, !process.isTerminal, !process.hasEnded,
            process.attachments.isEmpty
        else { return }
        let engines = clients.filter { $0.subscriptionTag != nil && !$0.isClosed }
        let absence = process.beginAbsence()
        loop.after(milliseconds: Self.farewellMilliseconds) { [weak self, weak process] in
            if engines.contains(where: { !$0.isClosed }) {
                process?.endAbsence(absence)
            } else {
                self?.loop.after(milliseconds: Self.successionMilliseconds) {
                    guard let process, process.endAbsence(absence) else { return }
                    process.input.end()
                }
            }
        }
    }
}
