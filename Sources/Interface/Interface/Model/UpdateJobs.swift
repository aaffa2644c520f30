import EngineAPI
import Terminal

extension Model {
    /// Begins an action of the engine; its end comes as `JobNews`.
    mutating func begin(_ action: EngineAction, _ label: String) -> [Effect] {
        let id = JobID(number: takeNumber())
        jobs.append(
            Job(
                id: id, label: label, action: action, startedAt: now, typedBefore: typedCount,
                before: sought(by: action)))
        commands.begin(action.commandWords, at: now, from: .job(id))
        return [.perform(id, action)]
    }

    /// Begins several at once, and others once they have ended; one alone is told by itself.
    mutating func begin(
        _ steps: [Confirmation.Step], later: [Confirmation.Step] = [], title: String
    ) -> [Effect] {
        guard !steps.isEmpty else { return later.isEmpty ? [] : begin(later, title: title) }
        guard steps.count + later.count > 1 else { return steps.flatMap { begin($0.action, $0.label) } }
        let number = takeNumber()
        let words = title.hasSuffix("?") ? String(title.dropLast()) : title
        batches[number] = Batch(title: words, count: steps.count + later.count, later: later)
        containers.unmark()
        return begin(steps, of: number)
    }

    private mutating func begin(_ steps: [Confirmation.Step], of batch: Int) -> [Effect] {
        steps.flatMap { step in
            defer { jobs[jobs.count - 1].batch = batch }
            return begin(step.action, step.label)
        }
    }

    mutating func take(_ news: JobNews, of id: JobID) -> [Effect] {
        guard let index = jobs.firstIndex(where: { $0.id == id }) else { return [] }
        switch news {
        case .progress(let progress):
            jobs[index].progress = progress
            return []
        case .succeeded(let result):
            commands.end(.job(id), .done(result.words), at: now)
            let job = jobs.remove(at: index)
            if let batch = job.batch { return note(Batch.Outcome(job.label, result), in: batch) }
            closeForm(waitingFor: id)
            sought = job.before ?? sought
            return finish(result, of: job)
        case .failed(let error):
            commands.end(.job(id), .failed(error.message), at: now)
            let job = jobs.remove(at: index)
            if let batch = job.batch {
                let isDone = error.kind == .notModified
                return note(Batch.Outcome(label: job.label, failure: isDone ? nil : error.message), in: batch)
            }
            fail(job, error)
            return [.refreshContainers]
        }
    }

    private mutating func note(_ outcome: Batch.Outcome, in number: Int) -> [Effect] {
        batches[number]?.outcomes.append(outcome)
        let refreshes = [.refreshContainers] + openListRefreshes(usage: true)
        if let batch = batches[number], !batch.later.isEmpty, batch.outcomes.count == batch.count - batch.later.count {
            batches[number]?.later = []
            return refreshes + begin(batch.later, of: number)
        }
        guard let batch = batches[number], batch.outcomes.count == batch.count else { return refreshes }
        batches[number] = nil
        if batch.failures > 0 {
            say("\(batch.title): \(batch.failures) failed", .error)
        } else {
            say("\(batch.title): done", .success)
            guard batch.outcomes.contains(where: { !$0.output.isEmpty }) else { return refreshes }
        }
        if !keyContext.takesTyping { dialogs.append(.help(.results(of: batch, columns: layout.body.columns))) }
        return refreshes
    }

    /// Gives up the job that began last, with those that were asked for together with it, or the engine that does not
    /// answer.
    mutating func cancelLastJob() -> [Effect] {
        guard reaching == nil else { return stopReaching() }
        guard let job = jobs.last else { return [] }
        let given = jobs.filter { $0.id == job.id || ($0.batch != nil && $0.batch == job.batch) }
        let title = job.batch.flatMap { batches[$0]?.title } ?? job.label
        guard !job.action.endsWithItsCaller else {
            // What has not begun does not begin any more.
            if let number = job.batch, let later = batches[number]?.later {
                batches[number]?.later = []
                batches[number]?.count -= later.count
            }
            return giveUp(given.map(\.id))
        }
        // An engine that has begun one of these ends it, whoever waits.
        for job in given { commands.end(.job(job.id), .done("goes on, not waited for"), at: now) }
        jobs.removeAll { given.contains($0) }
        if let number = job.batch { batches[number] = nil }
        say("\(title): goes on, not waited for", .warning)
        return []
    }

    /// It is over once the runner says so: what it has made by then is undone first.
    mutating func giveUp(_ ids: [JobID]) -> [Effect] {
        for index in jobs.indices where ids.contains(jobs[index].id) { jobs[index].isGivenUp = true }
        return ids.map { .cancel($0) }
    }

    /// Asks first where the end would cut something off.
    mutating func quit() -> [Effect] {
        let lost = jobs.filter { $0.action.endsWithItsCaller && !$0.isGivenUp }
        guard !lost.isEmpty else { return [.quit] }
        dialogs.append(
            .confirmation(
                Confirmation(
                    title: "quit?", lines: Self.farewells(to: lost), verb: "quit", steps: [], intent: .quitAtOnce,
                    choosesYes: false)))
        return []
    }

    /// The end is near, and what was half made is being undone.
    mutating func sayEnding() {
        let labels = jobs.filter(\.action.undoesItself).map(\.label)
        (jobs, dialogs, isEnding) = ([], [], true)
        say("\(labels.joined(separator: ", ")): being undone before the end; q ends at once", .warning)
    }

    private mutating func finish(_ result: JobResult, of job: Job) -> [Effect] {
        switch result {
        case .done(let text):
            say(text, .success)
            status?.running = job.action.madeRunning
            return [.refreshContainers] + openListRefreshes(usage: true)
        case .output(let output):
            show(output, of: job.label)
            return [.refreshContainers] + openListRefreshes(usage: true)
        case .created(let container, let warnings):
            if let warning = warnings.first {
                say(warning, .warning)
            } else {
                say("\(container.name) runs", .success)
                status?.running = container.name
            }
            return enter(container) + [.refreshContainers]
        }
    }

    /// A container that was just made and started: chosen, its console in focus with every key.
    private mutating func enter(_ container: ContainerSummary) -> [Effect] {
        containers.insert(container, at: now)
        containers.filter = ""
        containers.isEditingFilter = false
        containers.arrange(stats.histories)
        containers.select(id: container.id)
        let source = ContainerSource(
            id: container.id, isAlive: true, isTTY: container.tty, isAlreadyAttached: true, isHurried: true)
        dialogs.removeAll { if case .list = $0 { true } else { false } }
        focus = .console
        consoles.isCaptured = true
        return openConsole(.container(container.id), .container(source), title: container.name, isTTY: container.tty)
    }

    private mutating func closeForm(waitingFor id: JobID) {
        dialogs.removeAll { dialog in
            if case .form(let form) = dialog { return form.job == id }
            return false
        }
    }

    private mutating func fail(_ job: Job, _ error: EngineError) {
        var text =
            switch error.kind {
            case .cancelled: "\(job.label): cancelled"
            // An answer of HTTP's 304 has no words of its own.
            case .notModified: "\(job.label): it is so already"
            // Engines begin with what was attempted, too.
            default: error.message.hasPrefix(job.label) ? error.message : "\(job.label): \(error.message)"
            }
        if let action = Self.forced(job.action, after: error) {
            // Whoever types meanwhile would answer with a key that was meant for something else.
            guard job.typedBefore != typedCount else { return ask(action, instead: job, after: error) }
            text += "; asked for once more it can be forced"
        }
        let kind: Status.Kind = error.kind == .cancelled || error.kind == .notModified ? .warning : .error
        guard !tell(error, toFormOf: job) else { return }
        say(text, kind)
    }

    /// Says in the form that waited for a job why it failed. False where that is not what is looked at.
    private mutating func tell(_ error: EngineError, toFormOf job: Job) -> Bool {
        let waiting = dialogs.lastIndex { if case .form(let form) = $0 { form.job == job.id } else { false } }
        guard let index = waiting, case .form(var form) = dialogs[index] else { return false }
        form.job = nil
        if error.kind == .cancelled { form.error = "cancelled" } else { form.complain(of: error) }
        dialogs[index] = .form(form)
        return index == dialogs.count - 1
    }

    /// Asks whether to do by force what was refused without. A form that waited for it is left as it is.
    private mutating func ask(_ action: EngineAction, instead job: Job, after error: EngineError) {
        for index in dialogs.indices {
            guard case .form(var form) = dialogs[index], form.job == job.id else { continue }
            form.job = nil
            dialogs[index] = .form(form)
        }
        var question = Confirmation(
            title: "\(job.label) by force?", lines: TextWrap.lines(of: error.message, columns: 60), verb: "force",
            steps: [Confirmation.Step(action: action, label: job.label)], choosesYes: false)
        if case .saveText(let path, _, _) = action { (question.title, question.verb) = ("replace \(path)?", "replace") }
        dialogs.append(.confirmation(question))
    }
}
