public import TritModel

/// What a parameter is, which decides how it starts, decays and is quantized.
public enum ParameterKind: Sendable, Hashable {
  /// Token embeddings (and the tied head), or a head of its own: full precision.
  case embedding
  /// A linear layer inside a block: quantized.
  case linear
  /// A linear layer inside a block that stays in full precision (`modules_to_not_convert`).
  case dense
  /// Gains of a norm: they multiply by 1 at the start and do not decay.
  case norm
  /// A bias: it starts at 0 and does not decay.
  case bias
}

/// Where in a model a parameter stands.
enum ParameterPlace: Sendable, Hashable {
  case embedding, head, finalNorm
  case norm(NormRole, layer: Int)
  case linear(LinearRole, layer: Int)
  case bias(LinearRole, layer: Int)
  case innerNorm(LinearRole, layer: Int)
}

/// One parameter of a model and where it lies in the flat buffers.
public struct ParameterInfo: Sendable, Hashable {
  /// The name in Hugging Face checkpoints.
  public let name: String
  /// What it is.
  public let kind: ParameterKind
  /// Where it stands.
  let place: ParameterPlace
  /// Rows (outputs); 1 for a norm and a bias.
  public let rows: Int
  /// Columns (inputs).
  public let columns: Int
  /// Index of the first value.
  public let offset: Int
  /// What is added to the values before they multiply: 1 for the gains of Gemma, else 0.
  public let gainOffset: Float

  /// Number of values.
  public var count: Int { rows * columns }
  /// The shape in a checkpoint.
  public var shape: [Int] { kind == .norm || kind == .bias ? [columns] : [rows, columns] }
  /// Whether weight decay draws it to 0.
  var decays: Bool { kind != .norm && kind != .bias }
  /// Whether it writes to the residual stream.
  var isResidual: Bool {
    if case .linear(let role, _) = place { return role.output == .projected }
    return false
  }
}
