import EngineAPI

/// What is said of a log, and what of it is taken elsewhere as text.
extension LogScreen {
    /// What is shown as text, line by line, as it is saved.
    var savedText: String {
        var text = ""
        for index in 0..<count {
            let line = line(index)
            if index > 0, line.isContinuation, line.isOfSameStream(as: self.line(index - 1)) {
                text.removeLast()
            } else {
                if isMerged { text += sources[line.container].name + " | " }
                if showsTimes, line.isTimed { text += wall.rfc3339(line.time) + " " }
            }
            text += line.text + "\n"
        }
        return text
    }

    /// The line of the cursor whole, where it is shown in pieces.
    var copiedText: String {
        let chosen = line(cursor)
        var pieces = [cursor]
        var before = cursor
        while line(pieces[0]).isContinuation, before > 0 {
            before -= 1
            if line(before).isOfSameStream(as: chosen) { pieces.insert(before, at: 0) }
        }
        for after in cursor + 1..<max(cursor + 1, count) where line(after).isOfSameStream(as: chosen) {
            guard line(after).isContinuation else { break }
            pieces.append(after)
        }
        return pieces.map { line($0).text }.joined()
    }

    /// How much of a long log the filter has looked at; nil where it is all, or soon will be.
    var siftedPercent: Int? {
        guard let sieve, lines.count - sieve.known > 4096 else { return nil }
        return sieve.known * 100 / lines.count
    }

    /// Older lines than were asked for are likely.
    private var isCut: Bool { reach == .newest && lines.count + passedOver >= LogSource.firstTail && droppedLines == 0 }

    /// Where else something may be that the search did not find; nil where all has been searched.
    var unsearched: String? {
        if horizon != nil { return "in the lines around; f looks through all of them" }
        if isCut { return "in the newest lines; 0 reads the whole log" }
        return droppedLines > 0 ? "in the newest lines; f looks through all of them" : nil
    }

    /// What the title says of what is shown.
    var summary: String {
        let all = lines.count + passedOver
        let noun = all == 1 ? "line" : "lines"
        var parts = [sieve.map { "\($0.passing.count) of \(all) \(noun)" } ?? "\(lines.count) \(noun)"]
        if showsTimes, let line = lines.last {
            if !line.isTimed {
                parts.append("no times told")
            } else if times == .clock {
                parts.append("times of \(wall.zone(at: line.time))")
            }
        }
        if marksErrors { parts.append("! stderr") }
        if !filter.isEmpty { parts.append("only \(filter)") }
        if let share = siftedPercent { parts.append("looked at \(share)%") }
        switch reach {
        case .newest: if isCut { parts.append("older ones left out, 0 reads all") }
        case .whole: break
        case .minutes: parts.append(reach.label)
        }
        if goal != nil, !isGoalReached, sieve == nil {
            parts.append("looking for the line…")
            return parts.joined(separator: " · ")
        }
        if horizon != nil { return "\(lines.count) lines around · line \(cursor + 1) · F shows the newest" }
        if droppedLines > 0 { parts.append("\(droppedLines) older ones dropped") }
        let ended = sources.compactMap(\.end)
        if ended.count == sources.count {
            parts.append(isMerged ? "all have ended" : ended.first ?? "")
        } else {
            if !ended.isEmpty { parts.append("\(ended.count) ended") }
            parts.append(follows ? "following" : count > 0 ? "line \(cursor + 1) · F follows" : "F follows")
        }
        return parts.joined(separator: " · ")
    }
}
