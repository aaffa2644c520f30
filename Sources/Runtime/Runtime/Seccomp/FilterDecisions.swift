/// What a filter answers to every call, and a program that finds it by halving.
///
/// libseccomp compares a call's number with one number after the other, and the kernel walks that list for each of its
/// calls when it takes the filter, to learn which it may let through without asking again (`seccomp_cache_prepare` in
/// kernel/seccomp.c): with docker's profile 1.2 ms of every start and every exec. Here the list is followed once for all
/// calls at the same time: architectures and numbers of the same answer are ranges, and finding one among them takes some
/// ten steps instead of some hundreds. Where a call's arguments decide, the given program's own instructions do.
struct FilterDecisions {
    enum Answer: Hashable {
        /// SECCOMP_RET_… with its data.
        case verdict(UInt32)
        /// The arguments decide, from this instruction of the given program on.
        case instruction(Int)
    }

    /// The first number or architecture of a range, which ends where the next one begins.
    struct Part<Content: Hashable>: Hashable {
        var first: UInt32
        var content: Content
    }

    private let given: [FilterInstruction]
    private(set) var architectures: [Part<[Part<Answer>]>] = []

    /// - Returns: nil for a program with anything before its arguments that the walk does not know: libseccomp makes none.
    init?(_ program: [FilterInstruction]) {
        given = program
        var walk = Walk(program)
        guard walk.run() else { return nil }
        let regions = walk.regions
        for first in Set(regions.map(\.architectures.lowerBound)).sorted() {
            let numbers = Self.joined(
                regions.filter { $0.architectures.contains(first) }
                    .map { Part(first: $0.numbers.lowerBound, content: $0.answer) }
                    .sorted { $0.first < $1.first })
            architectures.append(Part(first: first, content: numbers))
        }
        architectures = Self.joined(architectures)
    }

    /// Neighbours of the same content are one.
    private static func joined<Content>(_ parts: [Part<Content>]) -> [Part<Content>] {
        parts.reduce(into: []) { result, part in
            if result.last?.content != part.content { result.append(part) }
        }
    }

    /// Answers every call as the given program does.
    var program: [FilterInstruction] {
        let tree = Self.halved(
            architectures[...], by: FilterInstruction.architecture,
            leaf: { numbers in
                Self.halved(
                    numbers[...], by: FilterInstruction.number,
                    leaf: { answer in
                        switch answer {
                        case .verdict(let value): [.own(.init(code: .answer, value: value))]
                        case .instruction(let index): [.goOn(index)]
                        }
                    })
            })
        let kept = reachable(
            from: tree.compactMap { if case .goOn(let index) = $0 { index } else { nil } })
        // The kept instructions follow the tree in their own order: what one jumps to has come nearer, never further.
        var places: [Int: Int] = [:]
        for (offset, index) in kept.enumerated() { places[index] = tree.count + offset }
        func distance(_ index: Int, from place: Int) -> Int { (places[index] ?? 0) - place - 1 }
        let searching = tree.enumerated().map { place, step in
            switch step {
            case .own(let instruction): instruction
            case .goOn(let index):
                FilterInstruction(code: .jump, value: UInt32(distance(index, from: place)))
            }
        }
        let deciding = kept.enumerated().map { offset, index in
            var instruction = given[index]
            let place = tree.count + offset
            if instruction.code == .jump {
                instruction.value = UInt32(distance(index + 1 + Int(instruction.value), from: place))
            } else if instruction.code.isAnyJump {
                instruction.yes = UInt8(distance(index + 1 + Int(instruction.yes), from: place))
                instruction.no = UInt8(distance(index + 1 + Int(instruction.no), from: place))
            }
            return instruction
        }
        return searching + deciding
    }

    private enum Step {
        case own(FilterInstruction)
        case goOn(Int)
    }

    private static func halved<Content>(
        _ parts: ArraySlice<Part<Content>>, by field: UInt32, leaf: (Content) -> [Step]
    ) -> [Step] {
        guard parts.count > 1 else { return parts.first.map { leaf($0.content) } ?? [] }
        func tree(_ parts: ArraySlice<Part<Content>>) -> [Step] {
            guard parts.count > 1 else { return leaf(parts[parts.startIndex].content) }
            let middle = parts.startIndex + parts.count / 2
            let (low, high) = (tree(parts[..<middle]), tree(parts[middle...]))
            var test = FilterInstruction(code: .isAtLeast, value: parts[middle].first)
            guard low.count > Int(UInt8.max) else {
                test.yes = UInt8(low.count)
                return [.own(test)] + low + high
            }
            // A test leads over 255 instructions, a jump over any number.
            test.no = 1
            return [.own(test), .own(.init(code: .jump, value: UInt32(low.count)))] + low + high
        }
        return [.own(.init(code: .load, value: field))] + tree(parts)
    }

    private func reachable(from starts: [Int]) -> [Int] {
        var found = Set(starts)
        var waiting = Array(found)
        while let index = waiting.popLast() {
            for next in given[index].successors(of: index) where found.insert(next).inserted { waiting.append(next) }
        }
        return found.sorted()
    }
}

extension FilterInstruction {
    /// Where the program may go on behind this instruction, which stands at `index`.
    fileprivate func successors(of index: Int) -> [Int] {
        if code.isAnyAnswer { return [] }
        if code == .jump { return [index + 1 + Int(value)] }
        return code.isAnyJump ? [index + 1 + Int(yes), index + 1 + Int(no)] : [index + 1]
    }
}

/// Follows a program for whole ranges of calls, which part where it treats them differently.
private struct Walk {
    struct Region {
        var architectures: ClosedRange<UInt32>
        var numbers: ClosedRange<UInt32>
        var answer: FilterDecisions.Answer
    }

    private struct Place {
        var index = 0
        /// What the accumulator holds: one of the fields that `load` names.
        var held: UInt32?
        var architectures: ClosedRange<UInt32> = 0...UInt32.max
        var numbers: ClosedRange<UInt32> = 0...UInt32.max
    }

    let program: [FilterInstruction]
    private(set) var regions: [Region] = []
    private var open = [Place()]

    init(_ program: [FilterInstruction]) { self.program = program }

    /// - Returns: whether every call has its answer.
    mutating func run() -> Bool {
        // The longest program, in which every call is compared with every number.
        var steps = FilterInstruction.programLimit * FilterInstruction.programLimit
        while let place = open.popLast() {
            steps -= 1
            guard steps > 0, step(place) else { return false }
        }
        return true
    }

    private mutating func step(_ place: Place) -> Bool {
        guard program.indices.contains(place.index) else { return false }
        let instruction = program[place.index]
        var next = place
        next.index += 1
        switch instruction.code {
        case .load where instruction.value <= FilterInstruction.architecture:
            next.held = instruction.value
            open.append(next)
        case .load: close(place, .instruction(place.index))
        case .answer: close(place, .verdict(instruction.value))
        case .jump:
            next.index += Int(instruction.value)
            open.append(next)
        case .isEqual:
            return part(next, instruction, holding: instruction.value...instruction.value)
        case .isAtLeast:
            return part(next, instruction, holding: instruction.value...UInt32.max)
        case .isGreater:
            let above = instruction.value.addingReportingOverflow(1)
            return part(next, instruction, holding: above.overflow ? nil : above.partialValue...UInt32.max)
        default: return false
        }
        return true
    }

    private mutating func close(_ place: Place, _ answer: FilterDecisions.Answer) {
        regions.append(Region(architectures: place.architectures, numbers: place.numbers, answer: answer))
    }

    /// - Parameter holding: the values for which the test holds; nil where there are none.
    private mutating func part(_ next: Place, _ test: FilterInstruction, holding: ClosedRange<UInt32>?) -> Bool {
        guard let held = next.held else { return false }
        let isNumber = held == FilterInstruction.number
        let all = isNumber ? next.numbers : next.architectures
        func goOn(_ range: ClosedRange<UInt32>, over count: UInt8) {
            var place = next
            if isNumber { place.numbers = range } else { place.architectures = range }
            place.index += Int(count)
            open.append(place)
        }
        guard let holding, holding.overlaps(all) else {
            goOn(all, over: test.no)
            return true
        }
        let inside = holding.clamped(to: all)
        if all.lowerBound < inside.lowerBound { goOn(all.lowerBound...(inside.lowerBound - 1), over: test.no) }
        if inside.upperBound < all.upperBound { goOn((inside.upperBound + 1)...all.upperBound, over: test.no) }
        goOn(inside, over: test.yes)
        return true
    }
}
