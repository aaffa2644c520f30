import EngineAPI
import Terminal

/// A container made anew with other settings: the form, and the question before.
extension Model {
    mutating func showRecreation(_ details: ContainerDetails, _ image: ImageDetails?) {
        // What cannot be read would be lost with the one that is there.
        if let gap = details.specGap {
            return say("recreate \(details.name): it cannot be made anew as it is: \(gap)", .error)
        }
        let original = Original(details, image, mounts: container(details.id)?.mounts ?? [])
        open(
            .form(.recreate(original, images: images ?? [], networks: networkNames)), late: "recreate \(details.name)")
    }

    func recreation(of original: Original, as form: Form) throws(FormError) -> Confirmation {
        let spec = try form.recreatedSpec(of: original)
        let (old, name) = (original.target, form.text(.name) ?? original.target.name)
        let grid = initialConsoleGrid
        let size = TerminalSize(columns: UInt16(clamping: grid.columns), rows: UInt16(clamping: grid.rows))
        var lines = [
            "What it wrote in its own file system is lost; volumes stay.",
            "Should the new one not start, this one is put back.",
        ]
        if original.isActive { lines.insert("Its processes are asked to end, and killed if they do not.", at: 0) }
        if original.isActive, original.spec.autoRemove {
            lines[lines.count - 1] = "It is of --rm: once stopped it is gone, whether the new one starts or not."
        }
        let step = Confirmation.Step(
            action: .recreate(old, spec, name: name, size), label: "recreate \(old.name)")
        return Confirmation(
            title: "recreate \(old.name)?", lines: lines,
            verb: original.isActive ? "stop and recreate" : "recreate", steps: [step], choosesYes: false)
    }

    /// The form stays, with all that was typed, until what it asked for has been done.
    mutating func followForm() {
        guard case .form(var form)? = dialogs.last, form.job == nil, let job = jobs.last else { return }
        switch (form.purpose, job.action) {
        case (.recreate, .recreate), (.saveLog, .saveText): break
        default: return
        }
        (form.job, form.error) = (job.id, nil)
        replaceDialog(.form(form))
    }
}
