import Foundation
import Synchronization
import Testing
import TritLab
import _TritTestSupport

/// Views that cannot outlive what they show.
@Suite struct MatrixSpanTests {
  private func matrix() -> Matrix<Float> {
    Matrix(rows: 3, columns: 4, (0..<12).map { Float($0) })
  }

  @Test func spansShowRowsAndColumns() {
    let matrix = matrix()
    let span = matrix.span
    #expect(span.rows == 3 && span.columns == 4 && span[2, 1] == 9)
    let part = span.rows(1..<3).columns(1..<3)
    #expect(part.rows == 2 && part.columns == 2)
    #expect(part[0, 0] == 5 && part[1, 1] == 10)
    let seen = part.withUnsafeView { view in (0..<2).flatMap { Array(view.row($0)) } }
    #expect(seen == [5, 6, 9, 10])
    #expect(matrix.storage.array == (0..<12).map { Float($0) })
    #expect(matrix.storage.span.count == 12)
  }

  /// A matrix lives as long as its span is in use, though nothing else uses it.
  @Test func aSpanKeepsItsMatrix() {
    for _ in 0..<100 {
      let matrix = matrix()
      let sum = matrix.span.withUnsafeView { view in
        // Memory that was given back would be taken again here.
        let others = (0..<8).map { _ in AlignedBuffer<Float>(count: 12) }
        for other in others { other.mutableBuffer.update(repeating: -1) }
        return (0..<3).reduce(Float(0)) { $0 + view.row($1).reduce(0, +) }
      }
      #expect(sum == 66)
    }
  }

  /// A span goes to stages behind `any`, and into the regions of a pool.
  @Test func spansCrossProtocolsAndThreads() throws {
    let matrix = Matrix<Float>(rows: 64, columns: 64, (0..<4096).map { Float($0 % 7) - 3 })
    let quantizer: any WeightQuantizer = AbsmeanQuantizer()
    #expect(
      try quantizer.quantize(matrix.span).dequantized().storage.array
        == quantizer.quantize(matrix.view).dequantized().storage.array)
    let span = matrix.span
    let total = Atomic<Int>(0)
    WorkerPool(threads: 3).run(count: 64, partsPerThread: 4) { rows, _ in
      var sum = 0
      for row in rows { for column in 0..<64 { sum += Int(span[row, column]) } }
      total.add(sum, ordering: .relaxed)
    }
    #expect(total.load(ordering: .relaxed) == (0..<4096).reduce(0) { $0 + $1 % 7 - 3 })
  }

  @Test func aFileIsMappedWhileItsSpanIsInUse() throws {
    let folder = try TemporaryFolder("span")
    let path = folder.file("text")
    try Data("ternary".utf8).write(to: URL(fileURLWithPath: path))
    let file = try MappedFile(path)
    let text = file.span.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    #expect(text == "ternary")
    let empty = folder.file("empty")
    try Data().write(to: URL(fileURLWithPath: empty))
    let nothing = try MappedFile(empty)
    #expect(nothing.span.byteCount == 0)
  }
}
