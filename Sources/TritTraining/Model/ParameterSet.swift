public import TritCore
public import TritFormats
import TritKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a parameter is, which decides how it starts, decays and is quantized.
public enum ParameterKind: Sendable, Hashable {
  /// Token embeddings (and the tied head), or a head of its own: full precision.
  case embedding
  /// A linear layer inside a block: quantized.
  case linear
  /// Gains of a norm: they start at 1 and do not decay.
  case norm
}

/// One parameter of a model and where it lies in the flat buffers.
public struct ParameterInfo: Sendable, Hashable {
  /// The name in Hugging Face checkpoints.
  public let name: String
  /// What it is.
  public let kind: ParameterKind
  /// Rows (outputs); 1 for a norm.
  public let rows: Int
  /// Columns (inputs).
  public let columns: Int
  /// Index of the first value.
  public let offset: Int

  /// Number of values.
  public var count: Int { rows * columns }
  /// The shape in a checkpoint.
  public var shape: [Int] { kind == .norm ? [columns] : [rows, columns] }
}

/// The parameters of a model and their gradients, each as one flat buffer.
///
/// Matrices that take the same input lie behind each other (query, key, value; gate, up), so that
/// one product serves them. Values between parameters are padding and stay 0.
public final class ParameterSet: @unchecked Sendable {
  /// The shape of the model.
  public let shape: ModelShape
  /// All parameters in the order of the buffers.
  public let list: [ParameterInfo]
  /// Master values.
  public let values: AlignedBuffer<Float>
  /// Gradients.
  public let gradients: AlignedBuffer<Float>
  let layers: [LayerOffsets]
  let embedding: Int
  let head: Int
  let finalNorm: Int

  /// Offsets of one block.
  struct LayerOffsets: Sendable {
    var attentionNorm = 0, projection = 0, attentionSubNorm = 0, attentionOutput = 0
    var feedForwardNorm = 0, gateUp = 0, feedForwardSubNorm = 0, down = 0
  }

  /// Zero parameters of `shape`.
  public init(_ shape: ModelShape) {
    self.shape = shape
    var builder = Builder()
    embedding = builder.add(
      "model.embed_tokens.weight", .embedding, shape.vocabulary, shape.hidden)
    head =
      shape.tiesEmbeddings
      ? embedding : builder.add("lm_head.weight", .embedding, shape.vocabulary, shape.hidden)
    finalNorm = builder.add("model.norm.weight", .norm, 1, shape.hidden)
    layers = (0..<shape.layers).map { layer in
      var offsets = LayerOffsets()
      let stem = "model.layers.\(layer)."
      offsets.attentionNorm = builder.add(stem + "input_layernorm.weight", .norm, 1, shape.hidden)
      offsets.projection = builder.add(
        stem + "self_attn.q_proj.weight", .linear, shape.querySize, shape.hidden)
      for name in ["k", "v"] {
        builder.add(
          stem + "self_attn.\(name)_proj.weight", .linear, shape.keyValueSize, shape.hidden,
          follows: true)
      }
      if shape.hasSubNorms {
        offsets.attentionSubNorm = builder.add(
          stem + "self_attn.attn_sub_norm.weight", .norm, 1, shape.querySize)
      }
      offsets.attentionOutput = builder.add(
        stem + "self_attn.o_proj.weight", .linear, shape.hidden, shape.querySize)
      offsets.feedForwardNorm = builder.add(
        stem + "post_attention_layernorm.weight", .norm, 1, shape.hidden)
      offsets.gateUp = builder.add(
        stem + "mlp.gate_proj.weight", .linear, shape.feedForward, shape.hidden)
      builder.add(
        stem + "mlp.up_proj.weight", .linear, shape.feedForward, shape.hidden, follows: true)
      if shape.hasSubNorms {
        offsets.feedForwardSubNorm = builder.add(
          stem + "mlp.ffn_sub_norm.weight", .norm, 1, shape.feedForward)
      }
      offsets.down = builder.add(
        stem + "mlp.down_proj.weight", .linear, shape.hidden, shape.feedForward)
      return offsets
    }
    list = builder.list
    values = AlignedBuffer(count: builder.end)
    gradients = AlignedBuffer(count: builder.end)
  }

  private struct Builder {
    var list: [ParameterInfo] = []
    var end = 0

    @discardableResult mutating func add(
      _ name: String, _ kind: ParameterKind, _ rows: Int, _ columns: Int, follows: Bool = false
    ) -> Int {
      if !follows { end = (end + 15) / 16 * 16 }
      let info = ParameterInfo(name: name, kind: kind, rows: rows, columns: columns, offset: end)
      list.append(info)
      end += info.count
      return info.offset
    }
  }

  /// The parameter called `name`.
  public func info(_ name: String) -> ParameterInfo? { list.first { $0.name == name } }

  /// The gradient of a parameter, `[rows, columns]`; valid while the set lives.
  public func gradient(_ info: ParameterInfo) -> MatrixView<Float> {
    MatrixView(base: gradients.base + info.offset, rows: info.rows, columns: info.columns)
  }

  /// The master values of a parameter, `[rows, columns]`; valid while the set lives.
  public func value(_ info: ParameterInfo) -> MutableMatrixView<Float> {
    MutableMatrixView(base: values.base + info.offset, rows: info.rows, columns: info.columns)
  }

  // MARK: Starting values

  /// Norms at 1; matrices Gaussian with standard deviation `deviation`, those that write to the
  /// residual stream with `deviation / √(2 · layers)`.
  ///
  /// Source: Radford et al. 2019 (GPT-2), §2.3.
  public func initialize(seed: UInt64, deviation: Double = 0.02) {
    var random = SeededRandom(seed: seed)
    let narrow = deviation / Double(2 * shape.layers).squareRoot()
    for info in list {
      let target = values.base + info.offset
      if info.kind == .norm {
        target.update(repeating: 1, count: info.count)
        continue
      }
      let isResidual = info.name.contains("o_proj") || info.name.contains("down_proj")
      let spread = isResidual ? narrow : deviation
      // Box and Muller 1958: two uniform numbers make two Gaussian ones.
      for index in stride(from: 0, to: info.count, by: 2) {
        let radius = (-2 * log(1 - random.uniform())).squareRoot() * spread
        let angle = 2 * Double.pi * random.uniform()
        target[index] = Float(radius * cos(angle))
        if index + 1 < info.count { target[index + 1] = Float(radius * sin(angle)) }
      }
    }
  }

  /// Takes the values of a Hugging Face checkpoint. Throws `badData` for a tensor that is missing
  /// or of another shape.
  public func load(_ source: any TensorSource) throws {
    for info in list { try load(source, info, named: info.name, into: values) }
  }

  func load(
    _ source: any TensorSource, _ info: ParameterInfo, named name: String,
    into target: AlignedBuffer<Float>
  ) throws {
    let read = try source.floats(name)
    guard source.info(name)?.shape == info.shape else {
      throw LabError(
        .badData, "tensor '\(name)' has the wrong shape", at: source.path,
        expected: "\(info.shape)", got: "\(source.info(name)?.shape ?? [])")
    }
    read.span.withUnsafeBufferPointer {
      guard let values = $0.baseAddress else { return }
      (target.base + info.offset).update(from: values, count: info.count)
    }
  }

  /// The tensors of a checkpoint as `type`, from `buffer` (the masters unless told otherwise),
  /// their names behind `prefix`. `buffer` must live until they are written.
  func tensors(
    of buffer: AlignedBuffer<Float>, as type: TensorType, prefix: String = ""
  ) throws -> [TensorContent] {
    try list.map { info in
      try TensorContent(name: prefix + info.name, type: type, shape: info.shape) { sink in
        let piece = 1 << 18
        for start in stride(from: 0, to: info.count, by: piece) {
          let count = min(piece, info.count - start)
          let values = UnsafeBufferPointer(
            start: buffer.base + info.offset + start, count: count)
          try FloatEncoding.encode(values, as: type).withUnsafeBytes { try sink($0) }
        }
      }
    }
  }
}
