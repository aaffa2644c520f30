/// What has to be written to make one frame into the next: per row, the runs of cells that changed.
package enum RowDiff {
    package struct Run: Hashable, Sendable {
        package var row: Int
        package var columns: Range<Int>
    }

    /// The runs of `new` that differ from `old`, by row and column. Runs with less than `gap` equal cells between them are
    /// one, because moving the cursor costs more bytes than these; a run never begins or ends inside a wide
    /// character of either frame. All rows where the sizes differ or there is no old frame.
    package static func runs(from old: Frame?, to new: Frame, gap: Int = 4) -> [Run] {
        let columns = new.size.columns
        guard columns > 0 else { return [] }
        guard let old, old.size == new.size else {
            return (0..<new.size.rows).map { Run(row: $0, columns: 0..<columns) }
        }
        var runs: [Run] = []
        old.cells.withUnsafeBufferPointer { before in
            new.cells.withUnsafeBufferPointer { after in
                for row in 0..<new.size.rows {
                    let range = row * columns..<(row + 1) * columns
                    appendRuns(
                        UnsafeBufferPointer(rebasing: before[range]),
                        UnsafeBufferPointer(rebasing: after[range]), row: row, gap: gap, to: &runs)
                }
            }
        }
        return runs
    }

    private static func appendRuns(
        _ before: UnsafeBufferPointer<Cell>, _ after: UnsafeBufferPointer<Cell>, row: Int, gap: Int,
        to runs: inout [Run]
    ) {
        var run: Range<Int>?
        for column in after.indices where !(before[column] == after[column]) {
            if let open = run, column - open.upperBound < gap {
                run = open.lowerBound..<column + 1
            } else {
                if let open = run { runs.append(Run(row: row, columns: whole(open, before, after))) }
                run = column..<column + 1
            }
        }
        if let open = run { runs.append(Run(row: row, columns: whole(open, before, after))) }
    }

    /// `range` grown so that it cuts no wide character in two.
    private static func whole(
        _ range: Range<Int>, _ before: UnsafeBufferPointer<Cell>, _ after: UnsafeBufferPointer<Cell>
    ) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low > 0, before[low].isContinuation || after[low].isContinuation { low -= 1 }
        while high < after.count, before[high].isContinuation || after[high].isContinuation { high += 1 }
        return low..<high
    }
}
