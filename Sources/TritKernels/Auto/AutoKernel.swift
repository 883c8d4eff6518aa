public import TritCore
import Synchronization

/// Picks the fastest kernel for each matrix by measuring on a part of it.
///
/// All lossless kernels that take the weights and the form of activations are timed on the first rows of
/// the matrix, for one token (decode) and for a batch (prefill). The pick has the smallest product of the
/// two times; an earlier candidate is kept unless a later one is clearly faster, so that noise does not
/// change the pick. A shape and form seen before in this process is not measured again. Since candidates
/// are lossless, the pick changes speed alone.
public struct AutoKernel: LinearKernel {
  /// `auto`.
  public let name = "auto"
  /// The form of activations for which `prepare(_:)` picks; `prepare(_:for:)` takes another.
  public let accepts: ActivationForm
  private let candidates: [any LinearKernel]

  /// Picks among `candidates`, best guess first, for activations of `activationForm`.
  public init(candidates: [any LinearKernel], activationForm: ActivationForm = .int8) {
    self.candidates = candidates
    accepts = activationForm
  }

  /// Prepares the fastest kernel for `weights` and the form in `accepts`.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try prepare(weights, for: accepts)
  }

  /// Prepares the fastest kernel for `weights` and activations of `form`. Float32 weights, and any
  /// weights with float32 activations, go to OpenBLAS.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    if case .dense = weights {
      let kernel = OpenBLASKernel(name: form == .float32 ? "openblas" : "dequantize")
      Self.note(Decision(weights, form, picked: kernel.name, reason: "float32 weights"))
      return try kernel.prepare(weights, for: form)
    }
    if form == .float32 {
      let kernel = OpenBLASKernel(name: "dequantize")
      Self.note(Decision(weights, form, picked: kernel.name, reason: "float32 activations"))
      return try kernel.prepare(weights, for: form)
    }
    if let known = Self.decision(weights, form),
      let kernel = candidates.first(where: { $0.name == known.picked }),
      let prepared = try? kernel.prepare(weights)
    {
      return prepared
    }
    return try measured(weights, form)
  }

  private func measured(_ weights: QuantizedWeights, _ form: ActivationForm) throws
    -> any PreparedLinear
  {
    let race = KernelRace(weights)
    var timings: [Timing] = []
    var refusal: (any Error)?
    for kernel in candidates where kernel.accepts == form {
      do {
        if let timing = try race.time(kernel, best: timings.map(\.decode).min()) {
          timings.append(timing)
        }
      } catch { refusal = error }
    }
    guard var picked = timings.first else {
      throw refusal
        ?? LabError(
          .usage,
          "kernel 'auto' has no kernel for \(weights.form) and \(form.rawValue) activations",
          advice: "use kernel 'dequantize'")
    }
    for timing in timings.dropFirst() where timing.score < picked.score * 0.85 { picked = timing }
    guard let kernel = candidates.first(where: { $0.name == picked.kernel }) else {
      throw LabError(.internalError, "kernel '\(picked.kernel)' was timed but is no candidate")
    }
    let prepared = try kernel.prepare(weights)
    Self.note(
      Decision(
        weights, form, picked: picked.kernel,
        reason: timings.count == 1
          ? "the only kernel that takes them" : "fastest of \(timings.count)",
        timings: timings))
    return prepared
  }
}

extension AutoKernel {
  /// How long one candidate took on the measured rows.
  public struct Timing: Sendable {
    /// The candidate's name.
    public let kernel: String
    /// Rows that were measured.
    public let rows: Int
    /// Nanoseconds for one token.
    public let decode: Double
    /// Nanoseconds a token in a batch.
    public let prefill: Double

    /// What is compared: the product of the two, so that neither needs a weight.
    var score: Double { (decode * prefill).squareRoot() }
  }

  /// What was picked for a shape, and why.
  public struct Decision: Sendable, CustomStringConvertible {
    /// Rows of the matrix.
    public let rows: Int
    /// Columns of the matrix.
    public let columns: Int
    /// The form of the weights, in words.
    public let weights: String
    /// The form of the activations.
    public let activations: ActivationForm
    /// The name of the kernel.
    public let picked: String
    /// Why, in words.
    public let reason: String
    /// What was measured, in the order of the candidates; empty where there was no choice.
    public let timings: [Timing]

    init(
      _ weights: QuantizedWeights, _ form: ActivationForm, picked: String, reason: String,
      timings: [Timing] = []
    ) {
      rows = weights.rows
      columns = weights.columns
      self.weights = weights.form
      activations = form
      self.picked = picked
      self.reason = reason
      self.timings = timings
    }

    /// `2560 × 6912, ternary weights (scale per tensor): i2_s/avx512vnni, fastest of 9: …`, with
    /// nanoseconds for one token and per token of a batch.
    public var description: String {
      let list = timings.sorted { $0.score < $1.score }.map {
        "\($0.kernel) \(Int($0.decode))/\(Int($0.prefill)) ns"
      }
      let detail = list.isEmpty ? "" : ": " + list.joined(separator: ", ")
      return "\(rows) × \(columns), \(weights), \(activations.rawValue) activations: "
        + "\(picked), \(reason)\(detail)"
    }
  }

  private static let log = Mutex<[Decision]>([])

  /// Every decision of this process, in order; one a shape and form.
  public static var decisions: [Decision] { log.withLock { $0 } }

  /// Forgets all decisions, so that the next `prepare` measures again.
  public static func forget() { log.withLock { $0.removeAll() } }

  private static func note(_ decision: Decision) {
    log.withLock { log in
      let isKnown = log.contains {
        $0.rows == decision.rows && $0.columns == decision.columns
          && $0.weights == decision.weights && $0.activations == decision.activations
          && $0.picked == decision.picked
      }
      if !isKnown { log.append(decision) }
    }
  }

  private static func decision(_ weights: QuantizedWeights, _ form: ActivationForm) -> Decision? {
    let words = weights.form
    return log.withLock { log in
      log.last {
        $0.rows == weights.rows && $0.columns == weights.columns && $0.weights == words
          && $0.activations == form
      }
    }
  }
}
