public import TritCore

/// A packing's bare name: the fastest of its kernels that run here and take the weights.
///
/// The candidates stand in a fixed order, fastest first, so that the choice never depends on a
/// measurement; `auto` measures.
public struct FastestKernel: LinearKernel, AdoptingKernel {
  /// The packing's name: `i2_s`, `int8`…
  public let name: String
  private let candidates: [any LinearKernel]

  /// The first of `candidates` that takes the weights; there is at least one, and all multiply the
  /// same form of activations.
  public init(name: String, candidates: [any LinearKernel]) {
    precondition(!candidates.isEmpty, "'\(name)' has no kernel")
    self.name = name
    self.candidates = candidates
  }

  /// The form that all candidates multiply.
  public var accepts: ActivationForm { candidates[0].accepts }

  /// The forms that all candidates multiply.
  public var forms: Set<ActivationForm> {
    candidates.dropFirst().reduce(candidates[0].forms) { $0.intersection($1.forms) }
  }

  /// Prepares the first candidate that takes `weights`; throws what the last one, which takes most,
  /// says, under the packing's own name.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try first { try $0.prepare(weights) }
  }

  /// The same for activations of `form`.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    try checkForm(form)
    return try first { try $0.prepare(weights, for: form) }
  }

  /// What the fastest candidate adopts: where that has panels of its own, a slower one is no gain.
  public var adopts: String? { (candidates[0] as? any AdoptingKernel)?.adopts }

  /// The fastest candidate's layer over the bytes.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    guard let first = candidates[0] as? any AdoptingKernel else {
      throw LabError(.internalError, "kernel '\(name)' adopts no packed bytes")
    }
    return try first.adopt(packed)
  }

  private func first(_ prepare: (any LinearKernel) throws -> any PreparedLinear) throws
    -> any PreparedLinear
  {
    for candidate in candidates.dropLast() {
      if let prepared = try? prepare(candidate) { return prepared }
    }
    let last = candidates[candidates.count - 1]
    do {
      return try prepare(last)
    } catch var error as LabError {
      error.what = error.what.replacing("'\(last.name)'", with: "'\(name)'")
      throw error
    }
  }
}

extension Registry where Product == any LinearKernel {
  /// Adds the bare name of every packing that has kernels here: the fastest of them, those whose
  /// instruction sets stand in `order` first, then the rest in the order of registration. Where
  /// none of a packing's kernels runs on this CPU, its name is registered with that reason.
  mutating func registerBareNames(order: [String]) {
    var packings: [String] = []
    for descriptor in descriptors {
      if let packing = descriptor.kernel?.packing, !packings.contains(packing) {
        packings.append(packing)
      }
    }
    for packing in packings { registerFastest(packing, order: order) }
  }

  private mutating func registerFastest(_ name: String, order: [String]) {
    let all = descriptors.filter { $0.kernel?.packing == name }
    guard let plainest = all.first else { return }
    let own = available().filter { kernel in all.contains { $0.name == kernel.name } }
    let candidates = ranked(own, order).map(\.product)
    let here = candidates.first.map { "; here \($0.name)" } ?? ""
    let base = candidates.first.flatMap { descriptor($0.name) } ?? plainest
    register(
      StageDescriptor(
        name, summary: "the fastest kernel of packing \(name)\(here)", source: plainest.source,
        accepts: base.accepts, gives: base.gives, exactness: base.exactness,
        unavailable: candidates.isEmpty
          ? "none of its kernels runs on this CPU: \(plainest.unavailable ?? "")" : nil)
    ) { _ in
      guard !candidates.isEmpty else {
        throw LabError(.internalError, "kernel '\(name)' was made where none of its kernels runs")
      }
      return FastestKernel(name: name, candidates: candidates)
    }
  }
}
