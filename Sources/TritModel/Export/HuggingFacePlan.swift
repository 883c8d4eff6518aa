import TritAttention
import TritCore
import TritFormats
import TritKernels
import TritQuantization

/// The tensors and the configuration of an export as a Hugging Face folder.
final class HuggingFacePlan {
  /// All tensors; their bytes are made while they are written.
  private(set) var tensors: [TensorContent] = []
  /// Bytes of the linear layers, scales included, and their weights.
  private(set) var linearBytes = 0, linearWeights = 0
  /// How the folder names what it holds.
  let form: HuggingFaceForm
  /// `architectures[0]`.
  var architecture: String { form.architecture }
  /// Linear layers that stay dense, by their names in the folder.
  private(set) var dense: Set<String> = []
  /// What the values of a type lost, by type.
  private var roundings: [TensorType: Rounding] = [:]
  /// The type of everything that is no packed layer, where it must be one.
  private var oneType: TensorType?

  let export: HuggingFaceExport
  private let resolver: LayerResolver
  private let progress: ((Int, Int) -> Void)?
  private var written = 0
  var checkpoint: Checkpoint { export.checkpoint }
  var names: TensorNames { form.names }
  private var isGGUF: Bool { checkpoint.names == .gguf }

  /// Values that a type does not hold.
  private struct Rounding {
    var changed = 0, count = 0, tensors = 0
    var worst = 0.0
  }

  init(_ export: HuggingFaceExport, progress: ((Int, Int) -> Void)?) throws {
    self.export = export
    self.progress = progress
    form = try HuggingFaceForm(export.checkpoint)
    resolver = try LayerResolver(
      checkpoint: export.checkpoint, selection: export.selection, lab: export.lab)
    try checkActivations()
    try addAll()
    guard isQuantized, floatTypes.count > 1 else { return }
    // transformers 5 leaves what is stored beside quantized layers as it is, and multiplies it with
    // layers of `torch_dtype`: all of it has one type.
    oneType = export.form == .packed ? .f32 : .bf16
    (tensors, dense, linearBytes, linearWeights) = ([], [], 0, 0)
    try addAll()
  }

  /// Whether the folder has a `quantization_config`.
  private var isQuantized: Bool {
    export.form == .packed || !hasQuantizer && checkpoint.configuration.quantization != nil
  }

  private func addAll() throws {
    try addMatrix(names.embedding, from: checkpoint.embeddingName)
    for layer in 0..<checkpoint.configuration.layers { try addBlock(layer) }
    try addVector(names.finalNorm, isGain: true, from: checkpoint.names.finalNorm) {
      try $0.finalNorm()
    }
    // A tied head that is stored all the same is copied too.
    let head = checkpoint.names.head
    if checkpoint.source.info(head) != nil, checkpoint.embeddingName != head {
      try addMatrix(names.head, from: head)
    }
  }

  // MARK: Activations

  /// Whether a quantizer was named for all layers or for one.
  var hasQuantizer: Bool {
    export.selection.quantizer != nil
      || (0..<checkpoint.configuration.layers).contains { layer in
        LinearRole.allCases.contains { resolver.isOverridden($0, layer: layer) }
      }
  }

  /// transformers runs packed layers with int8 activations, and floats without `quantization_config`
  /// with float ones. Throws where that is another model.
  private func checkActivations() throws {
    let trained = checkpoint.configuration.quantization
    guard !hasQuantizer else {
      if export.form == .bfloat16, trained?.innerNormEpsilon != nil {
        throw HuggingFaceForm.nothing(
          "has norms inside plain linear layers, which floats without masters are", checkpoint)
      }
      return
    }
    if export.form == .packed, trained?.quantizesActivations != true {
      throw LabError(
        .usage, "packed layers run with int8 activations in transformers", at: checkpoint.path,
        expected: "a model that was trained with int8 activations",
        got: "\(checkpoint.configuration.architecture), which runs with float ones",
        advice:
          "take --type hf-bf16, which keeps what the model computes, or quantize it with --quantizer absmean-ls "
          + "(int8 activations; trits stay as they are)")
    }
  }

  // MARK: Blocks

  private func addBlock(_ layer: Int) throws {
    let configuration = checkpoint.configuration
    let between = configuration.hasPostNorms
    for operation in checkpoint.plan.block.operations {
      switch operation {
      case .norm(let role, _, _), .headNorm(let role, _):
        try addVector(
          names.norm(role, layer: layer, between: between)[0], isGain: true,
          from: checkpoint.normName(role, layer: layer)
        ) { try $0.norm(role, layer: layer) ?? [] }
      case .project(let roles, _):
        for role in roles {
          if let norm = checkpoint.names.innerNorm(role, layer: layer).first(where: {
            checkpoint.source.info($0) != nil
          }), configuration.quantization?.innerNormEpsilon != nil {
            try addVector(
              names.innerNorm(role, layer: layer)[0], isGain: false, from: norm
            ) { try $0.innerNorm(role, layer: layer) ?? [] }
          }
          try addLinear(role, layer)
        }
      case .bias(let role):
        let stem = names.linear(role, layer: layer)
        try addVector(
          stem + ".bias", isGain: false,
          from: checkpoint.names.linear(role, layer: layer) + ".bias"
        ) { try self.ordered($0.bias(role, layer: layer), role) }
      case .rotate, .store, .attend, .gate, .add: break
      }
    }
  }

  private func addLinear(_ role: LinearRole, _ layer: Int) throws {
    let stem = names.linear(role, layer: layer)
    let stored = checkpoint.names.linear(role, layer: layer) + ".weight"
    let (rows, columns) = role.shape(checkpoint.configuration)
    linearWeights += rows * columns
    let isKept = export.selection.quantizer == nil && !resolver.isOverridden(role, layer: layer)
    let first = tensors.count
    defer { linearBytes += tensors[first...].reduce(0) { $0 + $1.info.byteCount } }
    if isKept, try isDense(role, layer), let info = checkpoint.source.info(stored) {
      dense.insert(stem)
      if !isGGUF, isKeptType(info.type) { return try add(stem + ".weight", copying: info) }
      return try addFloats(stem + ".weight", [rows, columns]) { [self] in
        try source(role, layer).dequantized().storage
      }
    }
    switch export.form {
    case .packed:
      guard rows.isMultiple(of: 4) else {
        throw refused(
          "transformers unpacks four rows from a byte", "\(rows) rows", role, layer,
          advice: "take --type hf-bf16, or a GGUF file")
      }
      try add(stem + ".weight", .u8, [rows / 4, columns]) { [self] in
        Self.packed(try trits(role, layer))
      }
      try add(stem + ".weight_scale", .f32, [1]) { [self] in
        let scale = try trits(role, layer).scales[0]
        return AlignedBuffer(withUnsafeBytes(of: scale.bitPattern.littleEndian) { Array($0) })
      }
    case .bfloat16:
      if !isGGUF, isKept, let info = checkpoint.source.info(stored),
        [.f16, .bf16].contains(info.type), isKeptType(info.type)
      {
        return try add(stem + ".weight", copying: info)
      }
      try addFloats(stem + ".weight", [rows, columns]) { [self] in
        try floats(role, layer).storage
      }
      checkpoint.release(role, layer: layer)
    }
  }

  /// Whether a layer stays dense beside others that are trits: the configuration of a folder lists
  /// it, a GGUF file holds floats for it that are no trits.
  private func isDense(_ role: LinearRole, _ layer: Int) throws -> Bool {
    guard isGGUF else { return checkpoint.isUnconverted(role, layer: layer) }
    guard let quantization = checkpoint.configuration.quantization, !quantization.isOnline,
      checkpoint.packing(role, layer: layer) == nil
    else { return false }
    return try checkpoint.linear(role, layer: layer).weights.kind == .dense
  }

  /// The trits of a layer with their one scale.
  func trits(_ role: LinearRole, _ layer: Int) throws -> TernaryMatrix {
    let weights = ordered(try resolver.resolve(role, layer: layer).weights, role)
    guard case .ternary(let matrix) = weights else {
      throw refused(
        "packed layers hold trits", weights.form, role, layer,
        advice:
          "quantize them with --quantizer absmean (after training, so expect a worse model), or take "
          + "--type hf-bf16")
    }
    guard matrix.granularity == .tensor else {
      throw refused(
        "packed layers have one scale a tensor", weights.form, role, layer,
        advice: "take --type hf-bf16, or a GGUF file: --type q2_0")
    }
    return matrix
  }

  /// The values of a layer: masters, or what a quantizer makes of them.
  func floats(_ role: LinearRole, _ layer: Int) throws -> Matrix<Float> {
    if hasQuantizer {
      return ordered(try resolver.resolve(role, layer: layer).weights, role).dequantized()
    }
    let weights = try source(role, layer)
    if case .ternary(let matrix) = weights, checkpoint.configuration.quantization != nil {
      let isOne = matrix.granularity == .tensor
      throw refused(
        "the checkpoint holds trits, not masters", weights.form, role, layer,
        advice: isOne
          ? "take --type hf-packed: floats would be ternarised again, to another scale"
          : "keep the model as GGUF: no layer of transformers has scales of groups and int8 activations"
      )
    }
    return weights.dequantized()
  }

  /// A layer as the checkpoint holds it, rows in the order of transformers.
  func source(_ role: LinearRole, _ layer: Int) throws -> QuantizedWeights {
    ordered(try checkpoint.linear(role, layer: layer).weights, role)
  }

  private func refused(
    _ what: String, _ form: String, _ role: LinearRole, _ layer: Int, advice: String
  ) -> LabError {
    LabError(
      .usage, what, at: LayerResolver.name(role, layer: layer),
      expected: export.form == .packed ? "ternary weights (scale per tensor)" : "float masters",
      got: form, advice: advice)
  }

  private func isPermuted(_ role: LinearRole) -> Bool {
    isGGUF && checkpoint.configuration.ropePairing == .adjacent && (role == .query || role == .key)
  }

  private func ordered(_ weights: QuantizedWeights, _ role: LinearRole) -> QuantizedWeights {
    isPermuted(role)
      ? GGUFForm.unpermuted(weights, headDimension: checkpoint.configuration.headDimension)
      : weights
  }

  /// A bias in the order of transformers.
  func ordered(_ bias: [Float], _ role: LinearRole) -> [Float] {
    guard isPermuted(role) else { return bias }
    let d = checkpoint.configuration.headDimension
    return bias.indices.map { bias[GGUFForm.permutedRow($0, headDimension: d)] }
  }

  // MARK: Norms, embedding and head

  /// What is subtracted from gains as they multiply: Gemma's class adds 1 to those that it stores.
  var gainOffset: Float { form.family.isGemma ? 1 : 0 }

  /// A vector: as it is stored where the folder says the same, else made of `values`.
  private func addVector(
    _ name: String, isGain: Bool, from stored: String, _ values: (Checkpoint) throws -> [Float]
  ) throws {
    if !isGGUF, let info = checkpoint.source.info(stored), info.type.safetensorsName != nil,
      isKeptType(info.type)
    {
      return try add(name, copying: info)
    }
    let offset = isGain ? gainOffset : 0
    let buffer = AlignedBuffer(try values(checkpoint).map { $0 - offset })
    // Exactly: in 16 bits where they hold it.
    let type = oneType ?? Self.exact(buffer) ?? .f32
    try add(name, type, [buffer.count]) { [self] in try encode(buffer, as: type) }
  }

  private func addMatrix(_ name: String, from stored: String) throws {
    guard let info = checkpoint.source.info(stored) else {
      throw LabError(.internalError, "a tensor vanished after it was checked", at: stored)
    }
    let isWide = export.form == .bfloat16 && info.type == .f32
    // What float16 of a file holds is bfloat16's more often than not.
    let isHalf = isGGUF && isQuantized && info.type == .f16
    if info.type.safetensorsName != nil, !isWide, !isHalf, isKeptType(info.type) {
      return try add(name, copying: info)
    }
    let source = checkpoint.source
    try addFloats(name, info.shape) {
      let values = AlignedBuffer<Float>(count: info.count)
      try MatrixRows(info.name, in: source).read(0..<info.shape[0], into: values.mutableBuffer)
      return values
    }
  }

  /// Values in 16 bits; which of the two types is known once they are.
  private func addFloats(
    _ name: String, _ shape: [Int], _ values: @escaping () throws -> AlignedBuffer<Float>
  ) throws {
    let type = try oneType ?? Self.exact(values()) ?? .bf16
    try add(name, type, shape) { [self] in try encode(values(), as: type) }
  }

  private func isKeptType(_ type: TensorType) -> Bool { oneType == nil || oneType == type }

  private func add(_ name: String, copying info: TensorInfo) throws {
    let source = checkpoint.source
    tensors.append(
      try TensorContent(name: name, type: info.type, shape: info.shape) { [self] sink in
        let bytes = try source.bytes(info.name)
        for start in stride(from: 0, to: bytes.count, by: 1 << 24) {
          try Interruption.check()
          let part = start..<min(start + 1 << 24, bytes.count)
          try sink(UnsafeRawBufferPointer(rebasing: bytes[part]))
          source.release(info.name, part)
        }
        wrote()
      })
  }

  private func add(
    _ name: String, _ type: TensorType, _ shape: [Int],
    _ make: @escaping () throws -> AlignedBuffer<UInt8>
  ) throws {
    tensors.append(
      try TensorContent(name: name, type: type, shape: shape) { [self] sink in
        try Interruption.check()
        let bytes = try make()
        try withExtendedLifetime(bytes) { try sink(bytes.rawBuffer) }
        wrote()
      })
  }

  private func wrote() {
    written += 1
    progress?(written, tensors.count)
  }

  // MARK: Bytes

  /// Bits `2 i` and above of byte `(r, c)` are the code (trit + 1) of row `i ⌈rows / 4⌉ + r`.
  private static func packed(_ matrix: TernaryMatrix) -> AlignedBuffer<UInt8> {
    let plane = (matrix.rows + 3) / 4
    let bytes = AlignedBuffer<UInt8>(count: plane * matrix.columns)
    for row in 0..<matrix.rows {
      let shift = UInt8(2 * (row / plane))
      let trits = matrix.trits.base + row * matrix.columns
      let out = bytes.base + row % plane * matrix.columns
      for column in 0..<matrix.columns {
        out[column] |= UInt8(bitPattern: trits[column] &+ 1) << shift
      }
    }
    return bytes
  }

  /// The type of 16 bits that holds every value; nil where neither does.
  private static func exact(_ values: AlignedBuffer<Float>) -> TensorType? {
    withExtendedLifetime(values) {
      let isBF16 = values.buffer.allSatisfy {
        FloatDecoding.bfloat16(FloatEncoding.bfloat16($0)) == $0
      }
      guard !isBF16 else { return .bf16 }
      let isF16 = values.buffer.allSatisfy {
        FloatDecoding.float16(FloatEncoding.float16($0)) == $0
      }
      return isF16 ? .f16 : nil
    }
  }

  private func encode(_ values: AlignedBuffer<Float>, as type: TensorType) throws
    -> AlignedBuffer<UInt8>
  {
    let bytes = try withExtendedLifetime(values) {
      AlignedBuffer(try FloatEncoding.encode(values, as: type))
    }
    let back = AlignedBuffer<Float>(count: values.count)
    _ = try withExtendedLifetime(bytes) {
      try FloatDecoding.decode(bytes.rawBuffer, as: type, to: back.mutableBuffer)
    }
    var (changed, worst, greatest) = (0, Float(0), Float(0))
    for index in 0..<values.count {
      greatest = max(greatest, abs(values.base[index]))
      guard back.base[index] != values.base[index] else { continue }
      changed += 1
      worst = max(worst, abs(back.base[index] - values.base[index]))
    }
    if changed > 0 {
      var rounding = roundings[type] ?? Rounding()
      rounding.changed += changed
      rounding.count += values.count
      rounding.tensors += 1
      rounding.worst = max(rounding.worst, Double(worst) / Double(greatest))
      roundings[type] = rounding
    }
    return bytes
  }

  /// What was rounded; complete when the file is written.
  var notes: [String] {
    var notes = form.notes
    for (type, rounding) in roundings.sorted(by: { $0.key.name < $1.key.name }) {
      notes.append(
        "\(rounding.changed) of \(rounding.count) values of \(rounding.tensors) tensors change to "
          + "\(type.name), by up to \(ExportCheck.short(rounding.worst)) of a tensor's largest value"
      )
    }
    if export.form == .bfloat16, hasQuantizer, export.selection.quantizer?.name != "none" {
      notes.append(
        "the layers are written as the floats that the quantizer makes: transformers runs them with float "
          + "activations, not with int8")
    }
    return notes
  }

  /// Types of what is no packed layer.
  private var floatTypes: Set<TensorType> {
    Set(tensors.filter { !$0.info.name.hasSuffix(".weight_scale") }.map(\.info.type))
      .subtracting([.u8])
  }

  /// `torch_dtype`: of a quantized model the type of its floats; else bfloat16 where that holds every
  /// float, or float32, since activations of models trained in bfloat16 overflow float16. Nil where a
  /// folder's own stays.
  var floatType: String? {
    let types = floatTypes
    if isQuantized, types == [.f16] { return "float16" }
    guard isGGUF || isQuantized else { return nil }
    return types == [.bf16] ? "bfloat16" : "float32"
  }
}
