import Foundation
import Testing
import TritLab

/// Heads that are prepared by several threads name the first wrong row, not the one that was met
/// first.
@Suite("Rows of a head") struct HeadRowTests {
  static let names = Registry<any OutputHead>.standard.names

  /// Rows 700 and 3900 of 4000 hold a NaN, and the lower half is read slowly: the thread of the
  /// upper half, and whoever takes over its last parts, meets the other one first.
  @Test("the first wrong row is named, whoever read it", arguments: names, [1, 2, 4])
  func firstWrongRow(name: String, threads: Int) throws {
    let head = try Registry<any OutputHead>.standard.make(StageChoice(name))
    let source = HeadRows(rows: 4000, columns: 8) { range, out in
      if range.lowerBound < 2000 { usleep(2000) }
      for row in range {
        for column in 0..<8 {
          // Whole numbers: every format of a head holds them.
          out[(row - range.lowerBound) * 8 + column] = Float(row % 16 - 8)
        }
        if row == 700 || row == 3900 { out[(row - range.lowerBound) * 8 + 3] = .nan }
      }
    }
    let pool = WorkerPool(threads: threads)
    for _ in 0..<3 {
      let error = #expect(throws: LabError.self) { try head.prepare(source, on: pool) }
      #expect(error?.place == "row 700, column 3", "\(String(describing: error))")
    }
  }
}
