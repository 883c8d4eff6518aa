import TritCore

/// A buffer of the forward pass: what one operation writes and a later one reads.
public enum BlockBuffer: String, Sendable, Hashable, CaseIterable {
  /// The residual stream, `[tokens, hidden]`.
  case stream
  /// Rows of the stream, normed, `[tokens, hidden]`.
  case normed
  /// Queries, and then attention's output normed where a sub-norm is, `[tokens, heads · d]`.
  case query
  /// Keys, `[tokens, kvHeads · d]`.
  case key
  /// Values, `[tokens, kvHeads · d]`.
  case value
  /// What attention gives, `[tokens, heads · d]`.
  case attended
  /// The gate, and then its product with up, `[tokens, feedForward]`.
  case gate
  /// Up, and then the product normed where a sub-norm is, `[tokens, feedForward]`.
  case up
  /// What o and down give, before it is added to the stream, `[tokens, hidden]`.
  case projected

  /// Columns in a model of `configuration`.
  public func width(_ configuration: ModelConfiguration) -> Int {
    switch self {
    case .stream, .normed, .projected: configuration.hiddenSize
    case .query, .attended: configuration.querySize
    case .key, .value: configuration.keyValueSize
    case .gate, .up: configuration.feedForwardSize
    }
  }
}

/// One operation of a block. A block is a list of them (`BlockPlan`), and everything that has to
/// know what a model computes reads that list: forward pass, memory, tensor check, energy, dummies.
///
/// A mixture of experts would be one more: a router and a list of projections for each expert. No
/// such model runs yet; all are refused by name.
public enum BlockOperation: Sendable, Hashable {
  /// Root-mean-square norm of whole rows with the gains of a role.
  case norm(NormRole, from: BlockBuffer, into: BlockBuffer)
  /// The same over each head of the rows, in place: `head dimension` gains.
  case headNorm(NormRole, BlockBuffer)
  /// Linear layers that read one input, each into the buffer of its role. The norm or the rotation
  /// that a layer puts before its input belongs to the layer (`ProjectionGroup`).
  case project([LinearRole], from: BlockBuffer)
  /// Adds the bias of a layer to what it gave.
  case bias(LinearRole)
  /// Turns the heads of a buffer by their position.
  case rotate(BlockBuffer)
  /// Puts keys and values into the cache.
  case store
  /// Attention of the queries over the cache; scores are capped softly where there is a cap.
  case attend(softCap: Float?)
  /// `gate = activation(gate) · up`.
  case gate
  /// `stream += multiplier · projected`.
  case add(multiplier: Float)

  /// Whether rows are independent of each other and of other threads' work: such operations that
  /// follow each other are one region.
  var isByRow: Bool {
    switch self {
    case .project, .attend: false
    case .norm, .headNorm, .bias, .rotate, .store, .gate, .add: true
    }
  }
}

extension LinearRole {
  /// Where the layer writes.
  package var output: BlockBuffer {
    switch self {
    case .query: .query
    case .key: .key
    case .value: .value
    case .gate: .gate
    case .up: .up
    case .attentionOutput, .down: .projected
    }
  }
}
