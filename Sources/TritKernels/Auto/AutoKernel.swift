public import TritCore

/// Picks the fastest kernel for each matrix by measuring on a part of it.
///
/// All lossless kernels that take the weights and the form of activations are timed on the first rows of
/// the matrix, under the `Conditions` of the model (from memory where it is larger than the caches), for
/// one token (decode) and for a batch (prefill); `use` says which of the two counts. An earlier candidate
/// is kept unless a later one is clearly faster, so that noise does not change the pick. What was measured
/// is not measured again: in this process, and on this machine where `remember(in:)` names a
/// folder. Since candidates are lossless, the pick changes speed alone.
public struct AutoKernel: LinearKernel {
  /// `auto`.
  public let name = "auto"
  /// The form of activations for which `prepare(_:)` picks; `prepare(_:for:)` takes another.
  public let accepts: ActivationForm
  /// What the choice is for.
  public let use: Use
  private let candidates: [any LinearKernel]
  private let ignoresMemory: Bool

  /// Picks among `candidates`, best guess first, for activations of `activationForm`. `refresh` measures
  /// anew what an earlier run of the program has measured.
  public init(
    candidates: [any LinearKernel], activationForm: ActivationForm = .int8, use: Use = .both,
    refresh: Bool = false
  ) {
    self.candidates = candidates
    accepts = activationForm
    self.use = use
    ignoresMemory = refresh
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
      note(weights, form, picked: kernel.name, reason: "float32 weights")
      return try kernel.prepare(weights, for: form)
    }
    if form == .float32 {
      let kernel = OpenBLASKernel(name: "dequantize")
      note(weights, form, picked: kernel.name, reason: "float32 activations")
      return try kernel.prepare(weights, for: form)
    }
    if let known = AutoMemory.shared.decision(
      weights, form, use, candidates: candidates.map(\.name), ignoringFile: ignoresMemory),
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
    let race = KernelRace(weights, conditions: AutoMemory.shared.conditions)
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
    for timing in timings.dropFirst() where timing.score(use) < picked.score(use) * 0.93 {
      picked = timing
    }
    guard let kernel = candidates.first(where: { $0.name == picked.kernel }) else {
      throw LabError(.internalError, "kernel '\(picked.kernel)' was timed but is no candidate")
    }
    let prepared = try kernel.prepare(weights)
    note(
      weights, form, picked: picked.kernel,
      reason: timings.count == 1
        ? "the only kernel that takes them" : "fastest of \(timings.count)",
      timings: timings)
    return prepared
  }

  private func note(
    _ weights: QuantizedWeights, _ form: ActivationForm, picked: String, reason: String,
    timings: [Timing] = []
  ) {
    AutoMemory.shared.note(
      Decision(
        rows: weights.rows, columns: weights.columns, weights: weights.form, activations: form,
        use: use, conditions: AutoMemory.shared.conditions, picked: picked, reason: reason,
        timings: timings),
      candidates: candidates.map(\.name))
  }
}

extension AutoKernel {
  /// Every decision of this process, in order; one a shape, form, use and conditions.
  public static var decisions: [Decision] { AutoMemory.shared.decisions }

  /// What went wrong with the file of decisions, in sentences; speed is all that depends on it.
  public static var notes: [String] { AutoMemory.shared.notes }

  /// Under which conditions candidates are timed from now on; an engine sets its own before it prepares
  /// its layers.
  public static var conditions: Conditions {
    get { AutoMemory.shared.conditions }
    set { AutoMemory.shared.conditions = newValue }
  }

  /// Forgets the decisions of this process, so that the next `prepare` measures again (or reads the
  /// file, where there is one).
  public static func forget() { AutoMemory.shared.forget() }

  /// Keeps decisions in a file of `folder` (nil: only in this process), so that the next run of the
  /// program need not measure. The file is named after what makes figures stale: CPU, instruction sets,
  /// program, candidates, threads, and where weights come from.
  public static func remember(in folder: String?) { AutoMemory.shared.remember(in: folder) }
}
