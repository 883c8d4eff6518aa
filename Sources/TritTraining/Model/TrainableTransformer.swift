public import TritCore
import TritKernels
public import TritQuantization

/// A transformer that computes its loss and the gradients of all its parameters.
///
/// Linear layers see quantized weights and quantized inputs, made by the same stages that inference
/// uses; backward, both quantizers count as the identity (the straight-through estimator of Bengio
/// et al. 2013, arXiv:1308.3432), so `dX = dY · Q(W)` and `dW = dYᵀ · Q(X)`. Masters, norms,
/// embedding and head are float32.
///
/// A batch is `[sequences, length]`. One worker runs a whole sequence through a layer, so that it
/// stays in its cache; weight gradients then go over all tokens. All memory is allocated when the
/// model is made. Results do not depend on the number of threads.
public final class TrainableTransformer: @unchecked Sendable {
  /// The shape.
  public let shape: ModelShape
  /// Masters and gradients.
  public let parameters: ParameterSet
  /// What quantizes the weights of linear layers.
  public let quantizer: any WeightQuantizer
  /// What quantizes the inputs of linear layers.
  public let activations: any ActivationQuantizer
  /// Sequences of a batch at most.
  public let sequences: Int
  /// Tokens of a sequence at most.
  public let length: Int
  /// The threads.
  public let pool: WorkerPool

  let rotary: RotaryTable
  let attention: CausalAttention
  let unit: GatedUnit
  let quantizesWeights: Bool
  let quantizesActivations: Bool
  /// Weights as the products see them: quantized copies, or the masters themselves.
  let effective: AlignedBuffer<Float>
  /// `[layers + 1][tokens, hidden]`: the input of each layer, then the output of the last.
  let residuals: [AlignedBuffer<Float>]
  let saved: [LayerActivations]
  let scratch: [WorkerScratch]
  /// The normed input of the head, `[tokens, hidden]`.
  let headInput: AlignedBuffer<Float>
  let logits: AlignedBuffer<Float>
  /// Sequences whose logits are in memory at one time.
  let headSequences: Int
  var gradients: GradientBuffers?
  var losses: [(sum: Double, count: Int)]

  /// Makes room for batches of `sequences` × `length` tokens. Throws `usage` for an impossible
  /// shape.
  public init(
    _ parameters: ParameterSet, quantizer: any WeightQuantizer,
    activations: any ActivationQuantizer, sequences: Int, length: Int, pool: WorkerPool
  ) throws {
    try OpenBLASRuntime.start()
    let shape = parameters.shape
    var problems = shape.problems().map { key, expected, got in
      LabError(.usage, "the model's shape is impossible", at: key, expected: expected, got: got)
    }
    if !(1...shape.context).contains(length) || sequences < 1 || sequences > 1 << 16 {
      problems.append(
        LabError(
          .usage, "the batch does not fit the model",
          expected: "1…65536 sequences of 1…\(shape.context) tokens",
          got: "\(sequences) × \(length)"))
    }
    if !problems.isEmpty { throw LabErrors(problems) }
    self.shape = shape
    self.parameters = parameters
    self.quantizer = quantizer
    self.activations = activations
    self.sequences = sequences
    self.length = length
    self.pool = pool
    rotary = try RotaryTable(
      headDimension: shape.headDimension, base: shape.ropeBase, length: length)
    attention = CausalAttention(
      heads: shape.heads, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension)
    unit = GatedUnit(block: shape.block, width: shape.feedForward)
    quantizesWeights = !(quantizer is UnquantizedWeights)
    quantizesActivations = !(activations is UnquantizedActivations)
    effective =
      quantizesWeights ? AlignedBuffer(count: parameters.values.count) : parameters.values
    let tokens = sequences * length
    // What a layer keeps for its gradient, and the residual stream before and behind it.
    let kept =
      5 * shape.hidden + shape.projectionSize + 2 * shape.querySize + shape.heads
      + 3 * shape.feedForward
    try MemoryLimit.require(
      tokens, of: 4 * (shape.layers + 2) * kept,
      for: "the activations of \(sequences) × \(length) tokens in \(shape.layers) layers",
      advice:
        "take smaller batches: optimisation.batch with optimisation.accumulation, or a shorter "
        + "optimisation.length")
    residuals = (0...shape.layers).map { _ in AlignedBuffer(count: tokens * shape.hidden) }
    saved = (0..<shape.layers).map { _ in LayerActivations(shape, tokens: tokens) }
    scratch = (0..<pool.threads).map { _ in WorkerScratch(shape, length: length) }
    headInput = AlignedBuffer(count: tokens * shape.hidden)
    // At most 64 MiB of logits, but a few sequences in any case, for the threads.
    headSequences = min(sequences, max(4, (1 << 24) / (length * shape.vocabulary)))
    logits = AlignedBuffer(count: headSequences * length * shape.vocabulary)
    losses = Array(repeating: (0, 0), count: sequences)
  }

  /// Quantizes the masters for the next products; call it after every change of the masters.
  /// Throws `badData` when a weight is not finite: the training has diverged.
  public func prepareWeights() throws {
    guard quantizesWeights else { return }
    let linears = parameters.list.filter { $0.kind == .linear }
    try pool.runThrowing(count: linears.count) { range, _ in
      for index in range {
        let info = linears[index]
        do {
          let quantized = try quantizer.quantize(parameters.value(info).readOnly)
          Dequantization.write(quantized, into: effective.base + info.offset)
        } catch let error as LabError {
          throw error.inside(info.name)
        }
      }
    }
  }

  func effectiveWeights(_ offset: Int, rows: Int, columns: Int) -> MatrixView<Float> {
    MatrixView(base: effective.base + offset, rows: rows, columns: columns)
  }
}
