import Synchronization
public import TritCore

/// Picks the output head that measures fastest on the first rows of the matrix, for one token,
/// under the conditions of the model (`AutoKernel.Conditions`).
///
/// By itself it picks among heads that lose nothing, of which `exact` is the narrowest; `loss`
/// allows more.
public struct AutoHead: OutputHead {
  /// What may be lost; each level allows those before it too.
  public enum Loss: String, Sendable, CaseIterable {
    /// Nothing.
    case none
    /// Logits below the greatest `k` (`screened`): greedy and top-k text stays the exact head's.
    case tail
    /// int8 rounding of the weights.
    case int8
    /// 6-bit rounding.
    case int6
    /// 4-bit rounding.
    case int4
  }

  /// `auto`.
  public let name = "auto"
  /// What may be lost.
  public let loss: Loss
  /// How many of the greatest logits are exact where the tail may be lost.
  public let k: Int

  /// A head that loses at most `loss`; of the tail, logits below the `k` ≥ 1 greatest.
  public init(loss: Loss = .none, k: Int = 40) {
    precondition(k >= 1, "at least one logit is exact")
    self.loss = loss
    self.k = k
  }

  /// The heads that lose no more, most exact first, for weights that the 16 bits of `format` hold;
  /// nil: no 16 bits do, so that rows of 16 bits are not exact.
  package func candidates(format: HalfHead.Format?) -> [any OutputHead] {
    var levels: [(Loss, any OutputHead)] = [(.none, ExactHead())]
    if let format {
      levels += [8, 6].map { (.tail, ScreenedHead(k: k, exact: format, bits: $0)) }
    }
    levels += [
      (.int8, Int8Head()), (.int6, LowBitHead(bits: 6)), (.int4, LowBitHead(bits: 4)),
    ]
    let order = Loss.allCases
    return levels.filter { level in
      (order.firstIndex(of: level.0) ?? 0) <= (order.firstIndex(of: loss) ?? 0)
    }.map(\.1)
  }

  /// Prepares the fastest of the candidates. Throws what they throw.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same from rows as they are needed; all of them are read for the head that wins only.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    try pick(source, on: pool).prepare(source, on: pool)
  }

  /// The candidate that measures fastest. Throws what the candidates throw.
  package func pick(_ source: HeadRows, on pool: WorkerPool?) throws -> any OutputHead {
    guard loss != .none else { return ExactHead() }
    let candidates = candidates(
      format: try source.stored?.format ?? ExactHead.format(of: source, head: name, on: pool))
    let sample = source.prefix(Self.sampleRows)
    let trials = try candidates.map {
      HeadTrial(try $0.prepare(sample, on: pool), on: pool, isCold: source.isReadFromMemory)
    }
    let times = Race().times(trials.count) { [trials[$0].nanoseconds()] }.map { $0[0] }
    let best = Race.winner(times) ?? 0
    let timings = zip(candidates, times).map { head, time in
      (
        name: (head as? ScreenedHead).map { "screened:bits=\($0.bits)" } ?? head.name,
        nanoseconds: time
      )
    }
    let list = timings.sorted { $0.nanoseconds < $1.nanoseconds }
      .map { "\($0.name) \(Int($0.nanoseconds / 1000)) µs" }.joined(separator: ", ")
    let text =
      "head \(source.rows) × \(source.columns): \(timings[best].name), fastest of \(timings.count) "
      + "that lose no more than '\(loss.rawValue)' (one token, \(sample.rows) rows): \(list)"
    Self.log.withLock { $0.append(text) }
    return candidates[best]
  }

  /// Every choice of this process, in sentences.
  public static var decisions: [String] { log.withLock { $0 } }

  private static let log = Mutex<[String]>([])
  private static let sampleRows = 4096
}

/// A head that is timed on one token.
private struct HeadTrial {
  private let head: any PreparedHead
  private let pool: WorkerPool?
  private let x: Matrix<Float>
  private let logits: Matrix<Float>
  /// What is thrown out of the caches before each pass.
  private let memory: [any RawMemory]

  /// `isCold`: the weights come from memory.
  init(_ head: any PreparedHead, on pool: WorkerPool?, isCold: Bool) {
    self.head = head
    self.pool = pool
    var random = SeededRandom(seed: 1)
    x = Matrix(
      rows: 1, columns: head.columns,
      (0..<head.columns).map { _ in Float(random.uniform() * 2 - 1) })
    logits = Matrix(rows: 1, columns: head.rows)
    memory = isCold ? WeightEviction.memory(of: head) : []
  }

  /// One pass over all rows.
  func nanoseconds() -> Double {
    WeightEviction.evict(memory)
    let (head, input, output) = (head, x.view, logits.mutableView)
    let start = MonotonicClock.nanoseconds()
    if let pool {
      pool.run(count: head.rows, alignment: head.rowAlignment) { range, _ in
        head.multiply(input, rows: range, into: output)
      }
    } else {
      head.multiply(input, rows: 0..<head.rows, into: output)
    }
    head.finish(input, logits: output, on: pool)
    return Double(MonotonicClock.nanoseconds() - start)
  }
}
