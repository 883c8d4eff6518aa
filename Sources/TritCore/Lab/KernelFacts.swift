/// What a layer can leave out, before anything is known of a text.
public enum ExpectedSparsity: Sendable, Hashable {
  /// Nothing.
  case none
  /// Columns: inputs behind ReLU² (`down`). Gates that are normally distributed around 0, as those
  /// of random weights, give two thirds zeros after int8 rounding; trained models give more.
  case inputs
  /// Rows: outputs that meet ReLU² of a gate (`up`). Half of such gates are not above 0.
  case outputs

  /// The share that is expected to be left out.
  package var share: Double {
    switch self {
    case .none: 0
    case .inputs: 2 / 3
    case .outputs: 1 / 2
    }
  }
}

/// What whoever chooses among kernels has to know of one, stated where it is registered and never
/// read from its name: also of kernels that do not run here, which nobody can ask.
public struct KernelFacts: Sendable, Hashable {
  /// The packing whose bare name stands for its fastest kernel; nil for a kernel of its own.
  public var packing: String?
  /// The instruction set that tells kernels of one packing apart: `avx2`; nil where there is none
  /// to tell.
  public var instructionSet: String?
  /// What it leaves unread where it is zero or not wanted; such a kernel is picked only where that
  /// is expected.
  public var skips: ExpectedSparsity
  /// Whether `auto` may pick it.
  public var isCandidate: Bool

  /// States the facts of a kernel.
  public init(
    packing: String? = nil, instructionSet: String? = nil, skips: ExpectedSparsity = .none,
    isCandidate: Bool = true
  ) {
    self.packing = packing
    self.instructionSet = instructionSet
    self.skips = skips
    self.isCandidate = isCandidate
  }
}
