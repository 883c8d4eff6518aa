public import TritCore

/// A packing's bare name: the fastest of its kernels that run here and take the weights.
///
/// The candidates stand in a fixed order, fastest first, so that the choice never depends on a
/// measurement; `auto` measures.
public struct FastestKernel: LinearKernel {
  /// The packing's name: `i2_s`, `int8`…
  public let name: String
  private let candidates: [any LinearKernel]

  /// The first of `candidates` that takes the weights; there is at least one, and all multiply the same
  /// form of activations.
  public init(name: String, candidates: [any LinearKernel]) {
    precondition(!candidates.isEmpty, "'\(name)' has no kernel")
    self.name = name
    self.candidates = candidates
  }

  /// The form that all candidates multiply.
  public var accepts: ActivationForm { candidates[0].accepts }

  /// Prepares the first candidate that takes `weights`; throws what the last one, which takes most, says,
  /// under the packing's own name.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    for candidate in candidates.dropLast() {
      if let prepared = try? candidate.prepare(weights) { return prepared }
    }
    let last = candidates[candidates.count - 1]
    do {
      return try last.prepare(weights)
    } catch var error as LabError {
      error.what = error.what.replacing("'\(last.name)'", with: "'\(name)'")
      throw error
    }
  }
}

extension Registry where Product == any LinearKernel {
  /// Adds `name` as the fastest available kernel named `name/…`, those of `order` first, then the rest
  /// in the order of registration. Nothing is added where none runs here.
  mutating func registerFastest(_ name: String, order: [String], summary: String, source: String) {
    let own = available().filter { $0.name.hasPrefix(name + "/") }
    let ranked = order.compactMap { set in own.first { $0.name == "\(name)/\(set)" } }
    let rest = own.filter { kernel in !ranked.contains { $0.name == kernel.name } }
    let candidates = (ranked + rest).map(\.product)
    guard let first = candidates.first else { return }
    let base = descriptor(first.name)
    register(
      StageDescriptor(
        name, summary: "\(summary); here \(first.name)", source: source,
        accepts: base?.accepts ?? "", gives: base?.gives ?? "",
        exactness: base?.exactness ?? .lossless)
    ) { _ in FastestKernel(name: name, candidates: candidates) }
  }
}
