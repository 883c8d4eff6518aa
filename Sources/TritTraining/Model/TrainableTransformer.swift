public import TritCore
import TritKernels
import TritModel
public import TritQuantization

/// A transformer that computes its loss and the gradients of all its parameters: the operations of
/// its plan, forward and backward (`LayerProgram`).
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

  /// The block of every layer.
  let programs: [LayerProgram]
  let finish: LogitFinish
  let quantizesWeights: Bool
  /// Weights as the products see them: quantized copies, or the masters themselves.
  let effective: AlignedBuffer<Float>
  /// Gains with what is added to them before they multiply; nil where nothing is.
  let shiftedGains: AlignedBuffer<Float>?
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
    guard (1...shape.context).contains(length), (1...1 << 16).contains(sequences) else {
      throw LabError(
        .usage, "the batch does not fit the model",
        expected: "1…65536 sequences of 1…\(shape.context) tokens",
        got: "\(sequences) × \(length)")
    }
    self.shape = shape
    self.parameters = parameters
    self.quantizer = quantizer
    self.activations = activations
    self.sequences = sequences
    self.length = length
    self.pool = pool
    let configuration = shape.configuration
    quantizesWeights = !(quantizer is UnquantizedWeights)
    let quantizes = (quantizesWeights, !(activations is UnquantizedActivations))
    let rotary = try configuration.rotaryEmbeddings(frequencyFactors: nil, positions: length).map {
      RotaryTable($0, length: length)
    }
    programs = try (0..<shape.layers).map { layer in
      let isLocal = configuration.hasLocalRotation(layer: layer) && rotary.count > 1
      return try LayerProgram(
        shape, layer: layer, parameters.layers[layer], quantizes: quantizes,
        rotary: rotary[isLocal ? 1 : 0])
    }
    finish = LogitFinish(
      multiplier: configuration.logitMultiplier, cap: configuration.logitSoftCap)
    effective =
      quantizesWeights ? AlignedBuffer(count: parameters.values.count) : parameters.values
    let isShifted = parameters.list.contains { $0.gainOffset != 0 }
    shiftedGains = isShifted ? AlignedBuffer(count: parameters.values.count) : nil
    let tokens = sequences * length
    // What layers keep for their gradients, the residual stream before and behind each, and the
    // gradients themselves.
    let kept = programs.reduce(0) { $0 + $1.kept.reduce(0, +) + $1.sums * shape.hidden }
    let gradients =
      GradientBuffers.widest(programs.map(\.shared)).reduce(0, +) + 4 * shape.hidden
    try MemoryLimit.require(
      tokens, of: 4 * (kept + gradients),
      for: "the activations of \(sequences) × \(length) tokens in \(shape.layers) layers",
      advice:
        "take smaller batches: optimisation.batch with optimisation.accumulation, or a shorter "
        + "optimisation.length")
    residuals = (0...shape.layers).map { _ in AlignedBuffer(count: tokens * shape.hidden) }
    saved = programs.map { LayerActivations($0, hidden: shape.hidden, tokens: tokens) }
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

  /// The weights of a product: as quantized, or the masters of what stays in full precision.
  func weights(_ branch: ProjectStep.Branch) -> MatrixView<Float> {
    let buffer = branch.isQuantized ? effective : parameters.values
    return MatrixView(
      base: buffer.base + branch.weights, rows: branch.rows, columns: branch.columns)
  }

  /// The gains of a norm as they multiply.
  func gains(_ gain: Gain) -> UnsafePointer<Float> {
    let buffer = gain.isShifted ? shiftedGains ?? parameters.values : parameters.values
    return UnsafePointer(buffer.base + gain.offset)
  }

  /// Those of the last norm.
  var finalGain: Gain {
    Gain(offset: parameters.finalNorm, isShifted: shape.configuration.normOffset != 0)
  }
}
