import EngineAPI

/// All that is known of a container or an image, in sections that fold.
struct InspectScreen: Hashable, Sendable {
    struct Section: Hashable, Sendable {
        var title: String
        var entries: [(name: String, value: String)]
        var isFolded = false

        static func == (left: Section, right: Section) -> Bool {
            left.title == right.title && left.isFolded == right.isFolded
                && left.entries.elementsEqual(right.entries) { $0 == $1 }
        }

        func hash(into hasher: inout Hasher) { hasher.combine(title) }
    }

    private(set) var sections: [Section]
    var pager: Pager
    /// Of the container or the image.
    let id: String

    /// Sections that hold nothing are left out.
    init(_ name: String, id: String, _ sections: [Section]) {
        self.id = id
        self.sections = sections.filter { !$0.entries.isEmpty }
        pager = Pager(title: "inspect \(name)")
        render()
    }

    /// Fresh facts in place of the old ones; what was folded stays so.
    mutating func update(_ fresh: InspectScreen) {
        let folded = Set(sections.filter(\.isFolded).map(\.title))
        sections = fresh.sections
        for index in sections.indices { sections[index].isFolded = folded.contains(sections[index].title) }
        render()
    }

    /// Folds or unfolds the section that the cursor is in.
    mutating func fold() {
        var line = 0
        for index in sections.indices {
            let count = 1 + (sections[index].isFolded ? 0 : sections[index].entries.count)
            if pager.cursor < line + count {
                sections[index].isFolded.toggle()
                pager.cursor = line
                return render()
            }
            line += count
        }
    }

    /// The value in the cursor's line; at a section's title all of the section, `NAME=VALUE` a line.
    var chosenText: String {
        var line = 0
        for section in sections {
            let entries = section.isFolded ? [] : section.entries
            if pager.cursor == line {
                return section.entries.map { ($0.name.isEmpty ? "" : "\($0.name)=") + $0.value }.joined(separator: "\n")
            }
            if pager.cursor <= line + entries.count { return entries[pager.cursor - line - 1].value }
            line += 1 + entries.count
        }
        return ""
    }

    private mutating func render() {
        pager.lines = []
        for section in sections {
            let sign = section.isFolded ? "▸" : "▾"
            let count = section.isFolded ? " (\(section.entries.count))" : ""
            pager.lines.append(Pager.Line(text: "\(sign) \(section.title)\(count)", role: .header))
            guard !section.isFolded else { continue }
            let width = min(22, section.entries.map(\.name.count).max() ?? 0)
            for entry in section.entries {
                let fill = String(repeating: " ", count: max(0, width - entry.name.count))
                let lead = entry.name.isEmpty ? "    " : "    \(entry.name)\(fill)  "
                pager.lines.append(
                    Pager.Line(text: lead + entry.value, leadCount: lead.count, leadRole: .muted))
            }
        }
        pager.cursor = min(pager.cursor, max(0, pager.lines.count - 1))
    }
}
