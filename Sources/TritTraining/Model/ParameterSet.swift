public import TritCore
public import TritFormats
import TritKernels
public import TritModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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

  /// Where the parameters of one block begin.
  struct LayerOffsets: Sendable {
    var norms: [NormRole: Int] = [:]
    var linears: [LinearRole: Int] = [:]
    var biases: [LinearRole: Int] = [:]
    var innerNorms: [LinearRole: Int] = [:]
  }

  /// Zero parameters of `shape`.
  public init(_ shape: ModelShape) {
    self.shape = shape
    var builder = Builder(shape: shape)
    embedding = builder.add(.embedding)
    head = shape.tiesEmbeddings ? embedding : builder.add(.head)
    finalNorm = builder.add(.finalNorm)
    layers = (0..<shape.layers).map { builder.addLayer($0) }
    list = builder.list
    values = AlignedBuffer(count: builder.end)
    gradients = AlignedBuffer(count: builder.end)
  }

  private struct Builder {
    let shape: ModelShape
    var list: [ParameterInfo] = []
    var end = 0

    /// The parameters of a block, in the order of its operations.
    mutating func addLayer(_ layer: Int) -> LayerOffsets {
      var offsets = LayerOffsets()
      let norms = shape.configuration.quantization?.innerNormEpsilon != nil
      for operation in shape.plan.block.operations {
        switch operation {
        case .norm(let role, _, _), .headNorm(let role, _):
          offsets.norms[role] = add(.norm(role, layer: layer))
        case .project(let roles, _):
          if norms {
            for role in roles
            where !shape.configuration.isUnconverted(role, layer: layer) {
              offsets.innerNorms[role] = add(.innerNorm(role, layer: layer))
            }
          }
          for (index, role) in roles.enumerated() {
            offsets.linears[role] = add(.linear(role, layer: layer), follows: index > 0)
          }
        case .bias(let role): offsets.biases[role] = add(.bias(role, layer: layer))
        case .rotate, .store, .attend, .gate, .add: break
        }
      }
      return offsets
    }

    mutating func add(_ place: ParameterPlace, follows: Bool = false) -> Int {
      if !follows { end = (end + 15) / 16 * 16 }
      let configuration = shape.configuration
      let names = shape.names
      let (name, kind, rows, columns): (String, ParameterKind, Int, Int)
      var offset: Float = 0
      switch place {
      case .embedding, .head:
        name = place == .head ? names.head : names.embedding
        (kind, rows, columns) = (.embedding, shape.vocabulary, shape.hidden)
      case .finalNorm:
        (name, kind, rows, columns) = (names.finalNorm, .norm, 1, shape.hidden)
        offset = configuration.normOffset
      case .norm(let role, let layer):
        let all = names.norm(role, layer: layer, between: configuration.hasPostNorms)
        name = all[shape.spellings[role] ?? 0]
        (kind, rows, columns) = (.norm, 1, configuration.width(of: role))
        offset = configuration.normOffset
      case .innerNorm(let role, let layer):
        name = names.innerNorm(role, layer: layer)[shape.innerSpelling]
        (kind, rows, columns) = (.norm, 1, role.shape(configuration).columns)
      case .linear(let role, let layer):
        name = names.linear(role, layer: layer) + ".weight"
        kind = configuration.isUnconverted(role, layer: layer) ? .dense : .linear
        (rows, columns) = role.shape(configuration)
      case .bias(let role, let layer):
        name = names.linear(role, layer: layer) + ".bias"
        (kind, rows, columns) = (.bias, 1, role.shape(configuration).rows)
      }
      let info = ParameterInfo(
        name: name, kind: kind, place: place, rows: rows, columns: columns, offset: end,
        gainOffset: offset)
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

  /// Norms at 1, biases at 0; matrices Gaussian with standard deviation `deviation`, those that
  /// write to the residual stream with `deviation / √(2 · layers)`.
  ///
  /// Source: Radford et al. 2019 (GPT-2), §2.3.
  public func initialize(seed: UInt64, deviation: Double = 0.02) {
    var random = SeededRandom(seed: seed)
    let narrow = deviation / Double(2 * shape.layers).squareRoot()
    for info in list {
      let target = values.base + info.offset
      if !info.decays {
        target.update(repeating: info.kind == .norm ? 1 - info.gainOffset : 0, count: info.count)
        continue
      }
      let spread = info.isResidual ? narrow : deviation
      // Box and Muller 1958: two uniform numbers make two Gaussian ones.
      for index in stride(from: 0, to: info.count, by: 2) {
        let radius = (-2 * log(1 - random.uniform())).squareRoot() * spread
        let angle = 2 * Double.pi * random.uniform()
        target[index] = Float(radius * cos(angle))
        if index + 1 < info.count { target[index + 1] = Float(radius * sin(angle)) }
      }
    }
  }

  /// Takes the values of tensors in Hugging Face form, by their names. Throws `badData` for a
  /// tensor that is missing or of another shape.
  public func load(_ source: any TensorSource) throws {
    for info in list { try load(source, info, named: info.name, into: values) }
  }

  /// Takes the values of a checkpoint that has this shape. Throws `badData` for trits, which are no
  /// masters: a quantizer would make others of them, with another scale.
  public func load(_ checkpoint: Checkpoint) throws {
    for info in list {
      switch info.place {
      case .linear(let role, let layer) where info.kind == .linear:
        guard case .dense(let matrix) = try checkpoint.linear(role, layer: layer).weights else {
          throw LabError(
            .badData, "the checkpoint holds trits, not masters",
            at:
              "\(checkpoint.source.path): \(info.name)", expected: "float weights",
            advice: "train the checkpoint of the masters on, often called …-bf16 or …-unpacked")
        }
        (values.base + info.offset).update(from: matrix.storage.base, count: info.count)
      case .embedding:
        try load(checkpoint.source, info, named: checkpoint.embeddingName, into: values)
      case .head: try load(checkpoint.source, info, named: checkpoint.headName, into: values)
      default: try load(checkpoint.source, info, named: info.name, into: values)
      }
    }
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
