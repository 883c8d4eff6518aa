public import TritCore

/// Picks the fastest kernel for each matrix by measuring on a part of it.
///
/// All lossless kernels that take the weights and the form of activations are timed in turn on the
/// first rows of the matrix, under the `Conditions` of the model (from memory where it is larger
/// than the caches; with zeros where its activation function makes some, and then also those that
/// skip them), for one token (decode) and for a batch (prefill); `use` says which of the two
/// counts. An earlier candidate is kept unless a later one is clearly faster, so that noise does
/// not change the pick. What was measured is not measured again: in this process, and on this
/// machine where `AutoMemory.remember(in:)` names a folder. Since candidates are lossless, the pick
/// changes speed alone.
public struct AutoKernel: LinearKernel {
  /// `auto`.
  public let name = "auto"
  /// The form of activations for which `prepare(_:)` picks; `prepare(_:for:)` takes another.
  public let accepts: ActivationForm
  /// Any: float32 weights go to OpenBLAS, ternary ones with float32 activations to a kernel of
  /// theirs.
  public let forms: Set<ActivationForm> = [.int8, .float32]
  /// What the choice is for.
  public let use: Use
  private let candidates: [any LinearKernel]
  private let sparse: [ExpectedSparsity: [any LinearKernel]]
  private let ternaryFloat: [any LinearKernel]
  private let ignoresFile: Bool
  private let memory: AutoMemory

  /// Picks among `candidates`, best guess first, for activations of `activationForm`, and among
  /// those of `sparse` where such zeros are expected. Ternary weights with float32 activations go
  /// to the first of `ternaryFloat` that takes them. `refresh` measures anew what an earlier run of
  /// the program has measured. `memory` holds what was decided.
  public init(
    candidates: [any LinearKernel], sparse: [ExpectedSparsity: [any LinearKernel]] = [:],
    ternaryFloat: [any LinearKernel] = [],
    activationForm: ActivationForm = .int8, use: Use = .both, refresh: Bool = false,
    memory: AutoMemory = .shared
  ) {
    self.candidates = candidates
    self.sparse = sparse
    self.ternaryFloat = ternaryFloat
    accepts = activationForm
    self.use = use
    ignoresFile = refresh
    self.memory = memory
  }

  /// What it picks among, best guess first.
  public var candidateNames: [String] { candidates.map(\.name) }

  /// Prepares the fastest kernel for `weights` and the form in `accepts`.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try prepare(weights, for: accepts)
  }

  /// Prepares the fastest kernel for `weights` and activations of `form`. Float32 weights, and
  /// integers with float32 activations, go to OpenBLAS.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    try prepare(weights, for: form, under: Conditions())
  }

  /// Prepares the kernel that is fastest under `conditions`. Where some of the product can be left
  /// out, kernels that leave it out are candidates too, all of them timed with so many zeros.
  public func prepare(
    _ weights: QuantizedWeights, for form: ActivationForm, under conditions: Conditions
  ) throws -> any PreparedLinear {
    let candidates = (sparse[conditions.sparsity] ?? []) + candidates
    if case .dense = weights {
      let kernel = OpenBLASKernel(name: form == .float32 ? "openblas" : "dequantize")
      note(weights, form, conditions, candidates, picked: kernel.name, reason: "float32 weights")
      return try kernel.prepare(weights, for: form)
    }
    if form == .float32, case .ternary = weights {
      for kernel in ternaryFloat {
        guard let prepared = try? kernel.prepare(weights, for: form) else { continue }
        note(
          weights, form, conditions, candidates, picked: kernel.name,
          reason: "ternary weights, float32 activations")
        return prepared
      }
    }
    if form == .float32 {
      let kernel = OpenBLASKernel(name: "dequantize")
      note(
        weights, form, conditions, candidates, picked: kernel.name, reason: "float32 activations")
      return try kernel.prepare(weights, for: form)
    }
    if let known = memory.decision(
      weights, form, use, conditions, candidates: candidates.map(\.name), ignoringFile: ignoresFile),
      let kernel = candidates.first(where: { $0.name == known.picked }),
      let prepared = try? kernel.prepare(weights)
    {
      return prepared
    }
    return try measured(weights, form, conditions, candidates)
  }

  private func measured(
    _ weights: QuantizedWeights, _ form: ActivationForm, _ conditions: Conditions,
    _ candidates: [any LinearKernel]
  ) throws -> any PreparedLinear {
    let timings = try KernelRace(weights, conditions: conditions)
      .run(candidates.filter { $0.forms.contains(form) }, use: use)
    guard let winner = Race.winner(timings.map { $0.score(use) }) else {
      throw LabError(
        .usage, "kernel 'auto' has no kernel for \(weights.form) and \(form.rawValue) activations",
        advice: "use kernel 'dequantize'")
    }
    let picked = timings[winner]
    guard let kernel = candidates.first(where: { $0.name == picked.kernel }) else {
      throw LabError(.internalError, "kernel '\(picked.kernel)' was timed but is no candidate")
    }
    let prepared = try kernel.prepare(weights)
    note(
      weights, form, conditions, candidates, picked: picked.kernel,
      reason: timings.count == 1
        ? "the only kernel that takes them" : "fastest of \(timings.count)",
      timings: timings)
    return prepared
  }

  private func note(
    _ weights: QuantizedWeights, _ form: ActivationForm, _ conditions: Conditions,
    _ candidates: [any LinearKernel], picked: String, reason: String, timings: [Timing] = []
  ) {
    memory.note(
      Decision(
        rows: weights.rows, columns: weights.columns, weights: weights.form, activations: form,
        use: use, conditions: conditions, picked: picked, reason: reason, timings: timings),
      candidates: candidates.map(\.name))
  }
}
