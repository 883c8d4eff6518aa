import TritAttention
import TritCore
import TritFormats
import TritKernels
import TritQuantization

/// The tensors of an export: their descriptions now, their bytes when the writer asks for them.
final class GGUFTensorPlan {
  /// In the order of the file.
  private(set) var tensors: [TensorContent] = []
  /// Bytes of the linear layers, scales included, and their weights.
  private(set) var linearBytes = 0, linearWeights = 0

  private let export: GGUFExport
  private let form: GGUFForm
  private let resolver: LayerResolver
  private let progress: ((Int, Int) -> Void)?
  private let names = TensorNames.gguf
  private var written = 0
  /// The output scale of the layer whose weights were written last.
  private var outputScale: Float = 1
  private var scaleError = 0.0
  private var narrowed: [String] = []
  private var hasIntegers = false
  /// Whether the file holds trits, beside which a reader takes float layers for dense ones.
  private var hasTrits: Bool { Self.isTernary(export.linear) }

  /// Whether norms inside linears are written as those of blocks.
  var foldsInnerNorms: Bool { form.foldsInnerNorms }

  /// The one epsilon of the file.
  var normEpsilon: Float { form.normEpsilon }

  /// Plans all tensors; throws where shapes do not fit the types.
  init(_ export: GGUFExport, form: GGUFForm, progress: ((Int, Int) -> Void)?) throws {
    self.export = export
    self.form = form
    self.progress = progress
    resolver = try LayerResolver(
      checkpoint: export.checkpoint, selection: export.selection, lab: export.lab)
    let checkpoint = export.checkpoint
    try addMatrix(names.embedding, from: checkpoint.embeddingName, as: export.embedding)
    for layer in 0..<checkpoint.configuration.layers { try addBlock(layer) }
    try addVector(names.finalNorm, try checkpoint.finalNorm())
    if !checkpoint.tiesEmbeddings {
      try addMatrix(names.head, from: checkpoint.headName, as: export.head ?? export.embedding)
    }
    if let factors = try ropeFactors() { try addVector("rope_freqs.weight", factors) }
    if case .longrope(let short, let long, _, _) = checkpoint.configuration.ropeScaling {
      for (name, factors) in zip(TensorNames.ropeFactors, [long, short]) {
        try addVector(name, factors)
      }
    }
  }

  /// What was rounded; complete when the file is written.
  func notes() -> [String] {
    var notes = narrowed
    if scaleError > 0 {
      notes.append(
        "weight scales are rounded to float16 by \(export.linear.name): by up to "
          + "\(ExportCheck.short(scaleError)) of their size")
    }
    if hasIntegers {
      notes.append(
        "few-bit integers are written as the \(export.linear.name) values they stand for")
    }
    if !form.isBitNet, !Self.isTernary(export.linear),
      export.checkpoint.configuration.quantization?.quantizesActivations == true
    {
      notes.append(
        "architecture \(form.architecture) with \(export.linear.name) weights runs with float activations, not with "
          + "int8 as the model does: GGUF cannot say it")
    }
    return notes
  }

  private static func isTernary(_ type: TensorType) -> Bool { TernaryTensors.isContainer(type) }

  // MARK: Blocks

  /// The tensors of a block in the order of its plan.
  private func addBlock(_ layer: Int) throws {
    let checkpoint = export.checkpoint
    // Norms inside linears that stand for the block's have no operation of their own.
    let folded: [LinearRole: NormRole] =
      form.foldsInnerNorms
      ? [
        .query: .attention, .attentionOutput: .attentionSub, .gate: .feedForward,
        .down: .feedForwardSub,
      ] : [:]
    for operation in checkpoint.plan.block.operations {
      switch operation {
      case .norm(let role, _, _), .headNorm(let role, _):
        guard folded.isEmpty, let gains = try checkpoint.norm(role, layer: layer) else { continue }
        try addVector(names.norm(role, layer: layer)[0], gains)
      case .project(let roles, _):
        for role in roles {
          if let norm = try checkpoint.innerNorm(role, layer: layer) {
            if folded.isEmpty {
              try addVector(names.innerNorm(role, layer: layer)[0], norm)
            } else if let place = folded[role] {
              try addVector(names.norm(place, layer: layer)[0], norm)
            }
          }
          try addLinear(role, layer)
        }
      case .bias(let role):
        var bias = try checkpoint.bias(role, layer: layer)
        if form.permutesRotary, role == .query || role == .key {
          let d = checkpoint.configuration.headDimension
          bias = bias.indices.map { bias[GGUFForm.sourceRow($0, headDimension: d)] }
        }
        try addVector(names.linear(role, layer: layer) + ".bias", bias)
      case .rotate, .store, .attend, .gate, .add: break
      }
    }
  }

  /// Whether a float32 multiplier stands beside each layer, so that no scale need be rounded:
  /// bitnet.cpp reads one for the types that have no float32 scale of their own.
  private var hasOutputScales: Bool {
    form.isBitNet && ![.i2_s, .tl1, .tl2].contains(export.linear)
  }

  private func addLinear(_ role: LinearRole, _ layer: Int) throws {
    let (rows, columns) = role.shape(export.checkpoint.configuration)
    let stem = names.linear(role, layer: layer)
    let dense = try denseType(role, layer)
    let type = dense ?? export.linear
    do {
      if dense == nil, let packing = try packing() {
        do {
          try packing.check(rows: rows, columns: columns, granularity: .tensor)
        } catch var error as LabError {
          error.advice = "take another --type: f16 takes any shape, and keeps trits exactly"
          throw error
        }
      }
      let tensor = try TensorContent(name: stem + ".weight", type: type, shape: [rows, columns]) {
        [self] sink in
        do {
          let bytes = try linearBytes(role, layer)
          try bytes.span.bytes.withUnsafeBytes { try sink($0) }
        } catch let error as LabError where error.kind == .badData || error.kind == .usage {
          throw error.place?.contains(stem) == true ? error : error.inside(stem)
        }
        wrote()
      }
      tensors.append(tensor)
      linearBytes += tensor.info.byteCount
      linearWeights += rows * columns
    } catch let error as LabError {
      throw error.place?.contains(stem) == true ? error : error.inside(stem)
    }
    guard hasOutputScales, dense == nil else { return }
    linearBytes += 4
    tensors.append(
      try TensorContent(name: stem + ".scale", type: .f32, shape: [1]) { [self] sink in
        try withUnsafeBytes(of: outputScale.bitPattern.littleEndian) { try sink($0) }
        wrote()
      })
  }

  /// The float type of a layer that the configuration keeps dense and that no quantizer was named
  /// for; nil of others.
  private func denseType(_ role: LinearRole, _ layer: Int) throws -> TensorType? {
    let checkpoint = export.checkpoint
    guard checkpoint.isUnconverted(role, layer: layer), export.selection.quantizer == nil,
      !resolver.isOverridden(role, layer: layer)
    else { return nil }
    let stored = checkpoint.source.info(checkpoint.names.linear(role, layer: layer) + ".weight")
    return stored.map { [.f16, .bf16].contains($0.type) ? $0.type : .f32 }
  }

  private func packing() throws -> (any Packing)? {
    try TernaryTensors.packing(of: export.linear).map {
      try TernaryTensors.packing($0, in: export.lab[.packing])
    }
  }

  /// The weights of one layer, its rows in the order of the file.
  func weights(_ role: LinearRole, _ layer: Int) throws -> QuantizedWeights {
    let weights = try resolver.resolve(role, layer: layer).weights
    guard form.permutesRotary, role == .query || role == .key else { return weights }
    return GGUFForm.permuted(
      weights, headDimension: export.checkpoint.configuration.headDimension)
  }

  /// The bytes of one layer as the file holds them.
  private func linearBytes(_ role: LinearRole, _ layer: Int) throws -> AlignedBuffer<UInt8> {
    try Interruption.check()
    var weights = try weights(role, layer)
    export.checkpoint.release(role, layer: layer)
    outputScale = 1
    if let dense = try denseType(role, layer) { return try floats(weights, as: dense) }
    if hasOutputScales, case .ternary(let matrix) = weights, matrix.granularity == .tensor {
      outputScale = matrix.scales[0]
      weights = .ternary(
        TernaryMatrix(
          rows: matrix.rows, columns: matrix.columns, trits: matrix.trits, scales: [1]))
    }
    if let packing = try packing() { return try packed(weights, packing) }
    return try floats(weights, as: export.linear)
  }

  private func packed(_ weights: QuantizedWeights, _ packing: any Packing) throws
    -> AlignedBuffer<UInt8>
  {
    let type = export.linear
    guard case .ternary(let matrix) = weights else {
      throw LabError(
        .usage, "\(type.name) holds trits", expected: "ternary weights", got: weights.form,
        advice:
          "quantize them with --quantizer absmean (after training, so expect a worse model), or "
          + "take --type f16")
    }
    if [.i2_s, .tl1, .tl2].contains(type), matrix.granularity != .tensor {
      throw LabError(
        .usage, "\(type.name) has one scale a tensor",
        expected: "ternary weights (scale per tensor)",
        got: weights.form,
        advice:
          "take --type tq2_0, which has a float16 scale for every 256 weights, or a quantizer "
          + "with one scale")
    }
    do {
      try packing.check(
        rows: matrix.rows, columns: matrix.columns, granularity: matrix.granularity)
    } catch var error as LabError {
      error.advice =
        "take --type q2_0, which has a scale for every 64 columns, pq2_0 or ptq1_0 (128), tq2_0 (256), "
        + "or f16, which takes any shape and keeps trits with float16 scales exactly"
      throw error
    }
    for scale in matrix.scales where scale != 0 {
      let stored = Double(packing.storedScale(scale))
      guard stored.isFinite, stored != 0 else {
        throw LabError(
          .badData, "a weight scale does not fit the float16 of \(type.name)",
          expected: "6e-8 to 65504", got: "\(scale)", advice: ExportCheck.other(type, "--type"))
      }
      scaleError = max(scaleError, abs(stored - Double(scale)) / abs(Double(scale)))
    }
    return try packing.pack(weights).bytes
  }

  /// Values as floats.
  private func floats(_ weights: QuantizedWeights, as type: TensorType) throws -> AlignedBuffer<
    UInt8
  > {
    if case .dense = weights, form.isBitNet, hasTrits == false {
      throw LabError(
        .badData, "architecture \(form.architecture) means ternary weights", at: nil,
        expected: "a model trained with ternary weights", got: weights.form,
        advice: "keep a full-precision model with sub-norms as safetensors, or quantize it with "
          + "--quantizer absmean")
    }
    if case .integer = weights { hasIntegers = true }
    let values = weights.dequantized().storage
    let bytes = AlignedBuffer<UInt8>(
      count: try type.byteCount(shape: [weights.rows, weights.columns]))
    do {
      try values.span.withUnsafeBufferPointer {
        try FloatEncoding.encode(
          $0, as: type, to: UnsafeMutableRawBufferPointer(bytes.mutableBuffer))
      }
    } catch let error as LabError {
      throw Self.placed(error, "--type", columns: weights.columns, firstRow: 0)
    }
    return bytes
  }

  private func wrote() {
    written += 1
    progress?(written, tensors.count)
  }
}

// MARK: - Other tensors

extension GGUFTensorPlan {
  /// An error of the encoder with row and column instead of the place in what it was given, and
  /// with the option that takes another type.
  private static func placed(_ error: LabError, _ option: String, columns: Int, firstRow: Int)
    -> LabError
  {
    var error = error
    if let place = error.place, place.hasPrefix("value "), let index = Int(place.dropFirst(6)) {
      error.place = "row \(firstRow + index / columns), column \(index % columns)"
    }
    error.advice = error.advice?.replacing("take ", with: "take \(option) ")
    return error
  }
}

extension GGUFTensorPlan {
  private func addVector(_ name: String, _ values: [Float]) throws {
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw LabError(
        .badData, "tensor '\(name)' holds a value that is not finite", at: "\(name)[\(index)]",
        expected: "finite numbers", got: "\(values[index])",
        advice: "the checkpoint is damaged, or its training diverged")
    }
    let buffer = AlignedBuffer(values)
    tensors.append(
      try TensorContent(name: name, type: .f32, shape: [values.count]) { [self] sink in
        try buffer.span.bytes.withUnsafeBytes { try sink($0) }
        wrote()
      })
  }

  /// Embedding or head: the bytes as they are where the type stays, else encoded anew, a few rows
  /// at a time.
  private func addMatrix(_ name: String, from source: String, as wanted: TensorType?) throws {
    let checkpoint = export.checkpoint
    guard let info = checkpoint.source.info(source) else {
      throw LabError(.internalError, "a tensor vanished after it was checked", at: source)
    }
    // Blocks of trits stay what they are; I2_S may be of another layout, and TL1 and TL2 lie in
    // tiles.
    let stays =
      GGUFExport.denseTypes.contains(info.type)
      || TernaryTensors.isContainer(info.type) && info.type.block != nil
    let type = wanted ?? (stays ? info.type : .f16)
    tensors.append(
      try TensorContent(name: name, type: type, shape: info.shape) { [self] sink in
        if type == info.type {
          // A piece at a time, so that pages can be given back.
          let bytes = try checkpoint.source.bytes(source)
          for start in stride(from: 0, to: bytes.count, by: 1 << 24) {
            try Interruption.check()
            let part = start..<min(start + 1 << 24, bytes.count)
            try sink(UnsafeRawBufferPointer(rebasing: bytes[part]))
            checkpoint.source.release(source, part)
          }
        } else if TernaryTensors.isContainer(type) {
          try sink(trits(info, as: type, name: name).rawBuffer)
        } else {
          try encode(info, as: type, name: name, sink)
        }
        wrote()
      })
  }

  /// Embedding or head in blocks of trits, whose values must be such.
  private func trits(_ info: TensorInfo, as type: TensorType, name: String) throws
    -> AlignedBuffer<UInt8>
  {
    let source = export.checkpoint.source
    let (rows, columns) = (info.shape[0], info.shape[1])
    try MemoryLimit.require(
      Size.product(6, rows, columns), for: "the trits of tensor '\(name)'",
      advice: "leave its type as it is")
    let values = Matrix<Float>(rows: rows, columns: columns)
    try MatrixRows(info.name, in: source).read(0..<rows, into: values.storage.mutableBuffer)
    let option = name == names.embedding ? "--embedding" : "--output-tensor-type"
    guard let matrix = TernaryTensors.exact(values) else {
      throw LabError(
        .badData, "tensor '\(info.name)' is not ternary", at: source.path,
        expected: "values of -s, 0 and +s with one s for 64 or more columns",
        got: "\(info.type.name) values of other magnitudes",
        advice: "take \(option) f16, q8_0 or q6_k")
    }
    let wanted = try TernaryTensors.packing(
      TernaryTensors.packing(of: type) ?? "", in: export.lab[.packing])
    do {
      let bytes = try wanted.pack(.ternary(matrix)).bytes
      for scale in matrix.scales where scale != 0 {
        let stored = Double(wanted.storedScale(scale))
        scaleError = max(scaleError, abs(stored - Double(scale)) / abs(Double(scale)))
      }
      return bytes
    } catch var error as LabError {
      error.advice =
        "take \(option) q2_0 (a scale for every 64 columns), pq2_0 or ptq1_0 (128), or f16"
      throw error.inside(name)
    }
  }

  private func encode(
    _ info: TensorInfo, as type: TensorType, name: String, _ sink: TensorContent.Sink
  ) throws {
    let source = export.checkpoint.source
    let (rows, columns) = (info.shape[0], info.shape[1])
    let matrix = try MatrixRows(info.name, in: source)
    let step = max(1, (1 << 18) / columns)
    var changed = 0
    var worst: Float = 0
    for start in stride(from: 0, to: rows, by: step) {
      try Interruption.check()
      let count = min(step, rows - start) * columns
      let values = AlignedBuffer<Float>(count: count)
      let back = AlignedBuffer<Float>(count: count)
      try matrix.read(start..<start + count / columns, into: values.mutableBuffer)
      let encoded: [UInt8]
      do {
        encoded = try FloatEncoding.encode(values, as: type)
      } catch let error as LabError {
        let option = name == names.embedding ? "--embedding" : "--output-tensor-type"
        throw Self.placed(error, option, columns: columns, firstRow: start)
      }
      try encoded.withUnsafeBytes {
        _ = try FloatDecoding.decode($0, as: type, to: back.mutableBuffer)
        try sink($0)
      }
      for index in 0..<count where back.base[index] != values.base[index] {
        changed += 1
        worst = max(worst, abs(back.base[index] - values.base[index]))
      }
    }
    if changed > 0 {
      narrowed.append(
        "\(name): \(changed) of \(info.count) values change from \(info.type.name) to \(type.name), "
          + "by at most \(worst)")
    }
  }

  /// `rope_freqs.weight`: the divisors of the rotary frequencies, where the file has them or the
  /// configuration scales as Llama 3.1.
  private func ropeFactors() throws -> [Float]? {
    let checkpoint = export.checkpoint
    let configuration = checkpoint.configuration
    if let factors = try checkpoint.ropeFrequencyFactors() { return factors }
    guard case .llama3 = configuration.ropeScaling else { return nil }
    func frequencies(_ scaling: RotaryScaling) throws -> [Float] {
      try RotaryEmbedding(
        headDimension: configuration.headDimension, rotaryDimension: configuration.ropeDimension,
        base: configuration.ropeBase, scaling: scaling, maxPositions: 1
      ).frequencies
    }
    let (plain, scaled) = (try frequencies(.none), try frequencies(configuration.ropeScaling))
    return zip(plain, scaled).map { plain, scaled in
      // The divisor that gives the scaled frequency to the last bit, where a neighbour of the
      // quotient does.
      let quotient = plain / scaled
      return [quotient, quotient.nextUp, quotient.nextDown].first { plain / $0 == scaled }
        ?? quotient
    }
  }
}
