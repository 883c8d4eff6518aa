public import TritCore

/// The float32 matrix of an output head, handed over a few rows at a time: the largest matrix of a
/// model never has to be in memory in float32 as a whole.
public struct HeadRows: Sendable {
  /// Number of logits.
  public let rows: Int
  /// Width of the hidden state.
  public let columns: Int
  /// Whether the head that is made of them will be read from memory for every token, as that of a
  /// model larger than the caches is; `auto` measures so.
  public var isReadFromMemory = true
  /// The rows where they lie in 16 bits, if they do.
  package let stored: StoredHalfRows?
  /// The rows as trits, where the file has them so.
  package var ternary: TernaryHeadRows?
  private let read: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void

  /// A matrix whose rows `read(range, out)` writes side by side, `columns` values each; it may be
  /// called from several threads at once.
  public init(
    rows: Int, columns: Int,
    read: @escaping @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void
  ) { self.init(rows: rows, columns: columns, stored: nil, read: read) }

  /// The same of rows that are `stored` in 16 bits, which `read` widens.
  package init(
    rows: Int, columns: Int, stored: StoredHalfRows?,
    read: @escaping @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void
  ) {
    self.rows = rows
    self.columns = columns
    self.stored = stored
    self.read = read
  }

  /// The first `count` rows, or all if there are fewer.
  func prefix(_ count: Int) -> HeadRows {
    var part = HeadRows(rows: min(count, rows), columns: columns, stored: stored, read: read)
    part.isReadFromMemory = isReadFromMemory
    part.ternary = ternary
    return part
  }

  /// The whole matrix.
  public func all() throws -> Matrix<Float> {
    try MemoryLimit.require(
      Size.product(8, rows, columns), for: "an output head of \(rows) × \(columns)",
      advice: "take a head that keeps no float matrix: --head exact")
    let matrix = Matrix<Float>(rows: rows, columns: columns)
    try read(0..<rows, matrix.storage.base)
    return matrix
  }

  /// Calls `body(first, rows)` for all rows, in runs that start at `first` and follow one another
  /// within a part; the threads of `pool` take disjoint parts. Throws what `read` or `body` threw
  /// for the first run of rows that fails, counted from row 0.
  func forEach(
    on pool: WorkerPool?,
    _ body: @Sendable (_ first: Int, _ rows: MatrixView<Float>) throws -> Void
  ) throws {
    // Whole panels: what two threads write shares no byte.
    let run = max(1, min(256, (1 << 20) / max(columns, 1)) / HeadPanels.rows) * HeadPanels.rows
    @Sendable func work(_ range: Range<Int>) throws {
      let values = AlignedBuffer<Float>(count: run * columns)
      for first in stride(from: range.lowerBound, to: range.upperBound, by: run) {
        try Interruption.check()
        let count = min(run, range.upperBound - first)
        try read(first..<first + count, values.base)
        try body(first, MatrixView(base: values.base, rows: count, columns: columns))
      }
    }
    guard let pool else { return try work(0..<rows) }
    try pool.runThrowing(count: rows, alignment: run) { range, _ in try work(range) }
  }
}

/// Rows of 16-bit floats side by side, as a file has them: what a head may use there, without a
/// copy.
package struct StoredHalfRows: Sendable {
  /// Their format.
  package let format: HalfHead.Format
  /// The first one; all of them stay while `owner` lives.
  let base: UInt
  let owner: any AnyObject & Sendable

  /// Rows from `base` on, of a multiple of 32 columns each; nil for others, which leaves would read
  /// beyond.
  package init?(
    _ format: HalfHead.Format, columns: Int, at base: UnsafeRawPointer?,
    owner: any AnyObject & Sendable
  ) {
    guard let base, columns.isMultiple(of: 32), Int(bitPattern: base).isMultiple(of: 2) else {
      return nil
    }
    self.format = format
    self.base = UInt(bitPattern: base)
    self.owner = owner
  }

  /// The first `count` numbers.
  func buffer(count: Int) -> AlignedBuffer<UInt16>? {
    UnsafeRawPointer(bitPattern: base).map {
      AlignedBuffer(viewing: $0, count: count, owner: owner)
    }
  }
}

extension OutputHead {
  /// Makes the whole matrix, then prepares it: for heads that keep it.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    let weights = try source.all()
    return try weights.span.withUnsafeView { try prepare($0) }
  }
}

extension MatrixView where Element == Float {
  /// The same rows as a source for `OutputHead.prepare(_:on:)`; the memory must outlive it.
  func source() -> HeadRows {
    // A view is a bare pointer: whoever prepares a head from it keeps it alive meanwhile.
    let view = self
    return HeadRows(rows: rows, columns: columns) { range, out in
      for row in range {
        (out + (row - range.lowerBound) * view.columns)
          .update(from: view.base + row * view.stride, count: view.columns)
      }
    }
  }
}
