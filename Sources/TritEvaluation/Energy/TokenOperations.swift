public import TritCore
public import TritModel

/// The arithmetic of one decoded token, counted from the shapes of a model and the forms of its
/// layers.
///
/// A matrix `[rows, columns]` times a vector takes `rows · columns` multiplications and
/// `rows · (columns − 1)` additions. With trits and integer activations no weight multiplies: what
/// is left is one multiplication an input (to quantize it) and one an output (to scale it). Source:
/// Wang et al., "BitNet", arXiv 2310.11453 §2.3, for a matrix of 1-bit weights; zeros count as
/// additions here, as there.
///
/// Layers that run on `openblas` count as a dense float model of the same shape, whatever their
/// values: that is the papers' baseline. `dequantize` counts as the arithmetic of the weights and
/// activations that it stands for, whose kernel nobody need have written; activations that reach a
/// kernel as float32 (`none`, and `hadamard-int4`, whose codes no kernel multiplies) count as
/// float. Attention, norms, rotary embedding, activation and residual are float in every variant.
/// Exponentials, roots and divisions have no published figure and are left out; there are few of
/// them.
public struct TokenOperations: Sendable {
  /// A part of the model.
  public enum Part: String, Sendable, CaseIterable {
    /// The seven linear layers of all blocks.
    case linear
    /// Scores and mixing of values, over all positions in the cache.
    case attention
    /// Norms, rotary embedding, activation, residual.
    case other
    /// The output head.
    case head
  }

  /// What each part takes.
  public private(set) var parts: [Part: OperationCount] = [:]

  /// Everything.
  public var total: OperationCount {
    // In a fixed order, so that sums of two processes agree to the last bit.
    Part.allCases.reduce(OperationCount()) { $0 + (parts[$1] ?? OperationCount()) }
  }

  /// Counts one token.
  ///
  /// - Parameters:
  ///   - plan: the operations and their shapes.
  ///   - layers: form and activations of every linear layer, as an engine reports them.
  ///   - context: positions that attention looks at, the token's own included.
  ///   - float: the format of what is float.
  ///   - accumulator: the format in which integer products are added: `int8` as the papers count, `int32`
  ///     as kernels do.
  public init(
    _ plan: ModelPlan, layers: [LayerReport], context: Int,
    float: OperationEnergy.Format = .fp16, accumulator: OperationEnergy.Format = .int8
  ) {
    var linear = OperationCount()
    for layer in layers {
      linear =
        linear
        + Self.matrix(
          rows: layer.rows, columns: layer.columns,
          weights: .init(layer.weights), integerActivations: layer.activationForm == .int8,
          float: float, accumulator: accumulator)
    }
    parts[.linear] = linear
    let configuration = plan.configuration
    let blocks = Double(configuration.layers)
    let queries = Double(configuration.querySize)
    let (hidden, wide) = (Double(configuration.hiddenSize), Double(configuration.feedForwardSize))
    let heads = Double(configuration.heads)
    // Scores: a dot product of d for every head and position; values: a weighted sum of them.
    var positions = 0.0
    for layer in 0..<configuration.layers {
      let window = configuration.isWindowed(layer: layer) ? configuration.window : nil
      positions += Double(min(context, window ?? context))
    }
    parts[.attention] = OperationCount(
      float,
      additions: positions * (queries - heads) + (positions - blocks) * queries,
      multiplications: 2 * positions * queries)
    // A norm of n: n squares, n - 1 additions, one factor and one gain an element. The last norm
    // belongs to no block.
    var (normed, norms) = (hidden, 1.0)
    var (additions, multiplications) = (0.0, 0.0)
    for operation in plan.block.operations {
      switch operation {
      case .norm(let role, _, _):
        normed += blocks * Double(configuration.width(of: role))
        norms += blocks
      case .headNorm(let role, let buffer):
        let all = Double(buffer.width(configuration))
        normed += blocks * all
        norms += blocks * all / Double(configuration.width(of: role))
      case .bias(let role): additions += blocks * Double(role.shape(configuration).rows)
      case .rotate(let buffer):
        // A rotated pair takes four multiplications and two additions.
        let turned =
          Double(buffer.width(configuration) / configuration.headDimension)
          * Double(configuration.ropeDimension)
        additions += blocks * turned
        multiplications += blocks * 2 * turned
      case .gate: multiplications += blocks * 2 * wide
      case .add(let multiplier):
        additions += blocks * hidden
        if multiplier != 1 { multiplications += blocks * hidden }
      case .project, .store, .attend: break
      }
    }
    // Norms inside layers: one for all that share its result.
    for layer in layers where layer.computesNorm {
      normed += Double(layer.columns)
      norms += 1
    }
    if configuration.embeddingMultiplier != 1 { multiplications += hidden }
    parts[.other] = OperationCount(
      float, additions: normed - norms + additions,
      multiplications: 3 * normed + multiplications)
    let vocabulary = Double(configuration.vocabularySize)
    parts[.head] = OperationCount(
      float, additions: vocabulary * (hidden - 1), multiplications: vocabulary * hidden)
  }

  /// What a weight is.
  public enum Weights: Sendable {
    /// −1, 0, +1.
    case trits
    /// Few-bit integers.
    case integers
    /// Floats.
    case floats

    /// What the weights of a layer are.
    public init(_ kind: QuantizedWeights.Kind) {
      self =
        switch kind {
        case .ternary: .trits
        case .integer: .integers
        case .dense: .floats
        }
    }
  }

  /// One matrix times one vector.
  public static func matrix(
    rows: Int, columns: Int, weights: Weights, integerActivations: Bool,
    float: OperationEnergy.Format = .fp16, accumulator: OperationEnergy.Format = .int8
  ) -> OperationCount {
    let additions = Double(rows) * Double(columns - 1)
    let products = Double(rows) * Double(columns)
    let scaling = OperationCount(
      float, additions: 0, multiplications: Double(integerActivations ? rows + columns : rows))
    switch (weights, integerActivations) {
    case (.trits, true):
      return OperationCount(accumulator, additions: additions, multiplications: 0) + scaling
    case (.trits, false):
      return OperationCount(float, additions: additions, multiplications: 0) + scaling
    case (.integers, true):
      return OperationCount(accumulator, additions: additions, multiplications: 0)
        + OperationCount(.int8, additions: 0, multiplications: products) + scaling
    case (.integers, false), (.floats, _):
      return OperationCount(float, additions: additions, multiplications: products)
    }
  }
}
