import TritCore

/// What a model computes: the embedding, its block as many times as there are layers, a norm, the
/// head. Made from a configuration and from which optional tensors the checkpoint has.
public struct ModelPlan: Sendable, Hashable {
  /// Shape and constants.
  public let configuration: ModelConfiguration
  /// The block.
  public let block: BlockPlan

  /// The plan of `configuration` in a checkpoint with these sub-norms and biases.
  package init(
    _ configuration: ModelConfiguration, subNorms: Set<NormRole> = [],
    biases: Set<LinearRole> = []
  ) {
    self.configuration = configuration
    block = BlockPlan(configuration, subNorms: subNorms, biases: biases)
  }

  /// Parameters: matrices, gains, biases, the embedding, and the head where it is another matrix.
  public var parameterCount: Int {
    // A layer that norms its input itself has a gain for every column.
    let inner = configuration.quantization?.innerNormEpsilon == nil ? 0 : 1
    let matrices = block.linears.map { $0.shape(configuration) }.reduce(0) {
      $0 + ($1.rows + inner) * $1.columns
    }
    let norms = block.norms.reduce(0) { $0 + configuration.width(of: $1) }
    let biases = block.biases.reduce(0) { $0 + $1.shape(configuration).rows }
    let table = configuration.vocabularySize * configuration.hiddenSize
    return configuration.layers * (matrices + norms + biases) + configuration.hiddenSize
      + (configuration.tiesEmbeddings == true ? 1 : 2) * table
  }

  /// Whether linear layers norm or rotate their inputs themselves.
  public var preparesInputs: Bool {
    configuration.quantization?.innerNormEpsilon != nil || configuration.rotation != nil
  }
}
