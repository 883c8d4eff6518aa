import Foundation
public import TritCore
public import TritDrawing
public import TritKernels

/// Speeds of kernels on one shape, measured in turn, beside the roof that the same run measured.
public struct KernelRace: Sendable, Displayable {
  /// One kernel.
  public struct Row: Sendable {
    /// Its name.
    public var kernel: String
    /// Seconds of its shortest product.
    public var seconds: Double
    /// Multiplications and additions a second.
    public var operationsPerSecond: Double
    /// Bytes of weights read a second.
    public var bytesPerSecond: Double
    /// The share of the roof that bounds it: arithmetic or reading.
    public var shareOfRoof: Double
    /// `arithmetic` or `reading`.
    public var roof: String
    /// Whether its int32 sums are the reference's; nil where it has none.
    public var sumsAreExact: Bool?
  }

  /// The shape of the weights.
  public var shape: WeightShape
  /// Tokens of a product.
  public var tokens: Int
  /// The rows, in the order that was asked for.
  public var rows: [Row]

  /// A table.
  public var displayData: DisplayData {
    let first = rows.first?.seconds ?? 1
    return Table(
      ["kernel", "µs", "Gop/s", "GB/s", "of the roof", "times the first", "sums"],
      rows.map { row in
        [
          row.kernel, String(format: "%.1f", row.seconds * 1e6),
          String(format: "%.1f", row.operationsPerSecond * 1e-9),
          String(format: "%.1f", row.bytesPerSecond * 1e-9),
          String(format: "%.0f %% of %@", 100 * row.shareOfRoof, row.roof),
          String(format: "%.2f", first / row.seconds),
          row.sumsAreExact.map { $0 ? "exact" : "WRONG" } ?? "—",
        ]
      }
    ).displayData
  }
}

/// Races what the lab has under `names` (`i2_s`, `i2_s/avx2`, a kernel of this notebook) on one
/// layer of `shape` and `tokens` rows of activations: in turn, `rounds` times, `seconds` each, the
/// shortest time of each counts. The roofs are measured before them. A share of a roof above 100 %
/// means that weights came from a cache: `streaming` says how many bytes of copies are multiplied
/// in turn.
///
/// Throws a usage error for names that the lab does not have and shapes that a kernel does not
/// take.
public func race(
  _ names: [String], shape: WeightShape = WeightShape(1024, 2560), tokens: Int = 1,
  seconds: Double = 0.1, rounds: Int = 3, threads: Int = 1, streaming: Int = 0
) throws -> KernelRace {
  try race(
    names.map { try lab.make(.kernel, StageChoice(parsing: $0)) }, shape: shape, tokens: tokens,
    seconds: seconds, rounds: rounds, threads: threads, streaming: streaming)
}

/// Races `kernels`, as those that are named are raced.
public func race(
  _ kernels: [any LinearKernel], shape: WeightShape = WeightShape(1024, 2560), tokens: Int = 1,
  seconds: Double = 0.1, rounds: Int = 3, threads: Int = 1, streaming: Int = 0
) throws -> KernelRace {
  guard tokens >= 1, rounds >= 1, seconds > 0, seconds <= 60 else {
    throw LabError(
      .usage, "a race needs a token, a round and a time",
      expected: "tokens ≥ 1, rounds ≥ 1, 0 < seconds ≤ 60",
      got: "\(tokens) tokens, \(rounds) rounds, \(seconds) s", code: .badParameter)
  }
  let trials = try kernels.map {
    try KernelTrial($0, shape: shape, streaming: streaming, threads: threads)
  }
  let meter = PeakMeter(threads: threads)
  let integer = meter.integerPeak(seconds: 0.03)
  let float = meter.floatPeak(seconds: 0.03)
  var best: [KernelTrial.Speed?] = trials.map { _ in nil }
  for _ in 0..<rounds {
    for (index, trial) in trials.enumerated() {
      try Interruption.check()
      let speed = trial.time(tokens: tokens, seconds: seconds / Double(rounds))
      if speed.seconds < best[index]?.seconds ?? .infinity { best[index] = speed }
    }
  }
  let rows = try zip(trials, best).compactMap { trial, speed -> KernelRace.Row? in
    guard let speed else { return nil }
    let reading = meter.read(bytes: max(trial.workingBytes, 1 << 16), seconds: 0.03)
    let peak = trial.arithmetic == .float32 ? float : integer
    let arithmetic = peak.map { speed.operationsPerSecond / $0 } ?? 0
    let read = speed.bytesPerSecond / max(reading.bytesPerSecond, 1)
    return KernelRace.Row(
      kernel: trial.kernel, seconds: speed.seconds,
      operationsPerSecond: speed.operationsPerSecond, bytesPerSecond: speed.bytesPerSecond,
      shareOfRoof: max(arithmetic, read), roof: read > arithmetic ? "reading" : "arithmetic",
      sumsAreExact: try trial.residual(tokens: tokens).sumsAreExact)
  }
  return KernelRace(shape: shape, tokens: tokens, rows: rows)
}
