public import TritCore
import Synchronization

/// A low-bit pass over all rows, then the exact logit of every row that the pass cannot rule out of
/// the greatest `k`.
///
/// The rounding error `δ_r` of a rounded row is known, and by Cauchy and Schwarz moves its logit by
/// at most `‖δ_r‖ · ‖x‖`. So every logit lies in a known interval; a row whose upper end is below
/// the k-th greatest lower end cannot be among the k greatest and keeps its low-bit logit; all
/// others get the logit of the exact head, bit for bit. Greedy choice and top-k (up to `k`) are
/// therefore those of the exact head; statistics over the whole distribution (perplexity, top-p
/// over more than k) are approximate.
///
/// The bound is a worst case: √n times a typical error for n columns. Where logits spread as those
/// of random rows do, 4 bits with 2560 columns bound a logit to ±4.5 standard deviations of all
/// logits and rule nothing out; 6 bits, to ±1.1, rule nine rows of ten out. 4 bits pay where the
/// best rows stand far above the rest.
///
/// Other ways to read fewer bytes of a 16-bit table and lose nothing, as three trained tables have
/// it: the upper byte of a bfloat16 (sign and seven bits of the exponent) knows a weight within a
/// factor of 4, so that a pass over upper bytes rules nothing out; exponents have 2.5 to 2.8 bits
/// of entropy and the rest none to spare, so that entropy coding leaves 10.5 bits of 16; passes of
/// 8, 6 and 4 bits with what they rescore (2 to 9, 4 to 13 and 24 to 93 % of the rows) read 8.4 to
/// 9.5, 7.2 to 8.7 and 8.4 to 19 bits a weight.
public struct ScreenedHead: OutputHead {
  /// `screened`.
  public let name = "screened"
  /// How many of the greatest logits are exact.
  public let k: Int
  /// The 16-bit format of the exact rows; nil is the one that holds every weight exactly, f16 where
  /// none does.
  public let exact: HalfHead.Format?
  /// Bits of the pass over all rows, 4, 6 or 8.
  public let bits: Int

  /// A head whose `k` ≥ 1 greatest logits are those of the head `exact`, found by a pass of `bits`
  /// bits, 4, 6 or 8.
  public init(k: Int = 40, exact: HalfHead.Format? = nil, bits: Int = 6) {
    precondition(k >= 1, "a screened head keeps at least one logit exact")
    precondition([4, 6, 8].contains(bits), "a screened head passes over rows of 4, 6 or 8 bits")
    self.bits = bits
    self.k = k
    self.exact = exact
  }

  /// Lays both forms of `weights` out and measures each row's error. Throws `badData` as they do.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same, row by row.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    // Rows that lie in 16 bits are exact in that format, and few of them are read: they stay in
    // their file.
    let format =
      try exact ?? source.stored?.format
      ?? ExactHead.format(of: source, head: name, on: pool) ?? .f16
    let half =
      PreparedHalfHead(source.stored, in: format, rows: source.rows, columns: source.columns)
      ?? PreparedHalfHead(format: format, rows: source.rows, columns: source.columns)
    let coarse: any CoarseHead =
      bits == 8
      ? PreparedInt8Head(rows: source.rows, columns: source.columns)
      : PreparedLowBitHead(bits: bits, rows: source.rows, columns: source.columns)
    let lengths = AlignedBuffer<Float>(count: source.rows)
    try source.forEach(on: pool) { first, weights in
      try HeadWeights.check(
        weights, head: name, firstRow: first,
        limit: format == .f16
          ? 65_519 : bits == 8 ? nil : 65_504 * Float((1 << (bits - 1)) - 1))
      if !half.isStored { half.encode(weights, firstRow: first) }
      coarse.encode(weights, firstRow: first)
      for row in 0..<weights.rows {
        let values = weights.base + row * weights.stride
        let squares = VectorMath.sumOfSquares(values, count: weights.columns)
        lengths.base[first + row] = Float(squares.squareRoot()).nextUp
      }
    }
    return PreparedScreenedHead(k: k, exact: half, coarse: coarse, lengths: lengths)
  }
}

/// A head of fewer bits that is filled row by row: the pass of a screened one.
protocol CoarseHead: KeptHead {
  /// Rounds `weights` to the rows from `firstRow` on.
  func encode(_ weights: MatrixView<Float>, firstRow: Int)
}

/// A head whose greatest logits are those of another head.
public protocol ScreeningHead: PreparedHead {
  /// How many of the greatest logits are those of `exact`.
  var k: Int { get }
  /// The head whose greatest logits these are.
  var exact: any PreparedHead { get }
  /// Rows whose exact logit has been computed since the head was prepared, over all tokens.
  var rescoredRows: Int { get }
  /// Tokens that have been finished since the head was prepared.
  var finishedTokens: Int { get }
}

final class PreparedScreenedHead: ScreeningHead, KeptHead {
  let k: Int
  let rows: Int
  let columns: Int
  private let half: PreparedHalfHead
  private let coarse: any CoarseHead
  /// By how much a unit of ‖x‖ can move each logit.
  private let slopes: AlignedBuffer<Float>
  private let rescored = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)

  /// `lengths` of the float32 rows, rounded up.
  init(k: Int, exact: PreparedHalfHead, coarse: any CoarseHead, lengths: AlignedBuffer<Float>) {
    self.k = k
    half = exact
    self.coarse = coarse
    rows = exact.rows
    columns = exact.columns
    slopes = AlignedBuffer(count: rows)
    // Both sums are rounded too: n terms in float32 are off by at most n · 2^-24 · ‖w‖ · ‖x‖ each,
    // and the exact row is itself off the float32 one by its own error.
    let rounding = Double(columns + 64) * 0x1p-23
    for row in 0..<rows {
      let error = Double(coarse.weightError(row: row)) + Double(exact.weightError(row: row))
      slopes[row] = Float((error + rounding * (Double(lengths[row]) + error)) * 1.000_01).nextUp
    }
  }

  /// What was kept of such a head, and its other two parts.
  init(
    k: Int, exact: PreparedHalfHead, coarse: any CoarseHead, from memory: inout KeptMemory
  ) throws {
    self.k = k
    half = exact
    self.coarse = coarse
    rows = exact.rows
    columns = exact.columns
    slopes = try memory.next(rows)
  }

  var keptForm: KeptHeadForm {
    .screened(k: k, bits: coarse.keptForm.bits, half.format, isStored: half.isStored)
  }
  var memory: [any RawMemory] { coarse.memory + half.memory + [slopes] }
  var keptMemory: [any RawMemory] { coarse.keptMemory + half.keptMemory + [slopes] }

  var exact: any PreparedHead { half }
  var rescoredRows: Int { rescored.load(ordering: .relaxed) }
  var finishedTokens: Int { finished.load(ordering: .relaxed) }
  var kernel: String { "screened/\(coarse.kernel)+\(half.kernel)" }
  var weightBytes: Int { coarse.weightBytes + 4 * rows }
  var rowAlignment: Int { coarse.rowAlignment }

  func weightError(row: Int) -> Float { max(slopes[row], half.weightError(row: row)) }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) { coarse.multiply(x, rows: range, into: logits) }

  func finish(
    _ x: MatrixView<Float>, logits: MutableMatrixView<Float>, on pool: WorkerPool?
  ) {
    for token in 0..<x.rows { rescore(x, token: token, logits, on: pool) }
    finished.add(x.rows, ordering: .relaxed)
  }

  /// Gives every row of one token that may be among the k greatest its exact logit.
  private func rescore(
    _ x: MatrixView<Float>, token: Int, _ logits: MutableMatrixView<Float>, on pool: WorkerPool?
  ) {
    let y = logits.base + token * logits.stride
    let squares = VectorMath.sumOfSquares(x.base + token * x.stride, count: columns)
    let length = Float(squares.squareRoot()).nextUp
    let threshold = length.isFinite ? kthLowerEnd(y, length) : -.infinity
    let region = Rescoring(
      head: self, x: x, token: token, logits: logits, length: length, threshold: threshold)
    if let pool {
      pool.run(region, count: rows, alignment: 1024, partsPerThread: 4)
    } else {
      region.run(0..<rows, worker: 0)
    }
  }

  /// Gives the rows of one token whose upper end reaches `threshold` their exact logits.
  private struct Rescoring: PoolRegion {
    let head: PreparedScreenedHead
    let x: MatrixView<Float>
    let token: Int
    let logits: MutableMatrixView<Float>
    /// ‖x‖, rounded up.
    let length: Float
    /// The k-th greatest lower end.
    let threshold: Float

    func run(_ range: Range<Int>, worker: Int) {
      let y = logits.base + token * logits.stride
      var count = 0
      for row in range where !(y[row] + head.slopes[row] * length < threshold) {
        y[row] = head.half.logit(x, token: token, row: row)
        count += 1
      }
      head.rescored.add(count, ordering: .relaxed)
    }
  }

  /// The k-th greatest of `y[r] − slope · length`, kept in a heap whose root is the least of the k;
  /// −∞ where there are no more than k rows.
  private func kthLowerEnd(_ y: UnsafePointer<Float>, _ length: Float) -> Float {
    guard rows > k else { return -.infinity }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { heap in
      heap.initialize(repeating: -.infinity)
      for row in 0..<rows {
        let value = y[row] - slopes[row] * length
        guard value > heap[0] else { continue }
        var hole = 0
        while true {
          var child = 2 * hole + 1
          guard child < k else { break }
          if child + 1 < k, heap[child + 1] < heap[child] { child += 1 }
          guard heap[child] < value else { break }
          heap[hole] = heap[child]
          hole = child
        }
        heap[hole] = value
      }
      return heap[0]
    }
  }
}
