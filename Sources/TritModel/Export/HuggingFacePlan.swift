import TritAttention
import TritCore
import TritFormats
import TritKernels
import TritQuantization

/// The tensors and the configuration of an export as a Hugging Face folder.
final class HuggingFacePlan {
  /// All tensors; their bytes are made while they are written.
  private(set) var tensors: [TensorContent] = []
  /// What was rounded; complete when the file is written.
  private(set) var notes: [String] = []
  /// Bytes of the linear layers, scales included, and their weights.
  private(set) var linearBytes = 0, linearWeights = 0
  /// `architectures[0]`.
  let architecture: String

  private let export: HuggingFaceExport
  private let resolver: LayerResolver
  private let names: TensorNames
  private let progress: ((Int, Int) -> Void)?
  private var written = 0
  /// Linear layers that stay as they are stored.
  private var dense: Set<String> = []
  private var checkpoint: Checkpoint { export.checkpoint }
  private var isGGUF: Bool { checkpoint.names == .gguf }

  init(_ export: HuggingFaceExport, progress: ((Int, Int) -> Void)?) throws {
    self.export = export
    self.progress = progress
    resolver = try LayerResolver(
      checkpoint: export.checkpoint, selection: export.selection, lab: export.lab)
    let configuration = export.checkpoint.configuration
    names = export.checkpoint.names == .gguf ? .huggingFace : export.checkpoint.names
    architecture =
      export.checkpoint.names == .gguf
      ? try Self.architecture(of: export.checkpoint) : configuration.architecture
    var linears: Set<String> = []
    for layer in 0..<configuration.layers {
      for role in LinearRole.allCases {
        let stem = checkpoint.names.linear(role, layer: layer)
        linears.formUnion([".weight", ".weight_scale", ".scale"].map { stem + $0 })
        try addLinear(role, layer)
      }
    }
    if isGGUF, let factors = checkpoint.source.info("rope_freqs.weight") {
      throw LabError(
        .badData, "config.json cannot say the rotary factors of tensor '\(factors.name)'",
        at: checkpoint.source.path, expected: "a rotation that keys describe",
        got: "\(factors.type.name) \(factors.shape)",
        advice: "take the model's safetensors, or keep the model as GGUF")
    }
    for info in checkpoint.source.tensors where !linears.contains(info.name) {
      guard !checkpoint.names.isIgnorable(info.name) else { continue }
      try addOther(info)
    }
  }

  /// The class of transformers that computes what a GGUF file does. Throws `badData` where it is
  /// none that is known here.
  private static func architecture(of checkpoint: Checkpoint) throws -> String {
    let configuration = checkpoint.configuration
    let isBitNet = configuration.architecture.hasPrefix("bitnet")
    if isBitNet, configuration.activation == .relu2, checkpoint.hasSubNorms {
      return "BitNetForCausalLM"
    }
    if configuration.architecture == "llama", configuration.activation == .silu {
      return "LlamaForCausalLM"
    }
    throw LabError(
      .badData,
      "no class of transformers is known here for GGUF files of architecture "
        + configuration.architecture, at: checkpoint.path,
      expected: "llama with SiLU, or bitnet-b1.58 with squared ReLU and sub-norms",
      got: "\(configuration.architecture), \(configuration.activation)",
      advice: "take the model's safetensors, which are exported whatever the family")
  }

  // MARK: Tensors

  private func addLinear(_ role: LinearRole, _ layer: Int) throws {
    let stem = names.linear(role, layer: layer)
    let stored = checkpoint.names.linear(role, layer: layer) + ".weight"
    let (rows, columns) = role.shape(checkpoint.configuration)
    linearWeights += rows * columns
    let isOwn =
      checkpoint.isUnconverted(role, layer: layer) && export.selection.quantizer == nil
      && !resolver.isOverridden(role, layer: layer)
    if let info = checkpoint.source.info(stored), isOwn {
      dense.insert(stem)
      return try add(stem + ".weight", copying: info)
    }
    switch export.form {
    case .packed:
      try add(stem + ".weight", .u8, [(rows + 3) / 4, columns]) { [self] in
        Self.packed(try trits(role, layer))
      }
      try add(stem + ".weight_scale", .f32, [1]) { [self] in
        let scale = try trits(role, layer).scales[0]
        return AlignedBuffer(withUnsafeBytes(of: scale.bitPattern.littleEndian) { Array($0) })
      }
    case .bfloat16:
      if !isGGUF, let info = checkpoint.source.info(stored), info.type != .u8,
        [.f16, .bf16].contains(info.type), export.selection.quantizer == nil,
        !resolver.isOverridden(role, layer: layer)
      {
        return try add(stem + ".weight", copying: info)
      }
      let values = { [self] in try floats(role, layer).storage }
      // Which 16 bits hold the values is known once they are.
      let type = try Self.narrowest(values())
      checkpoint.release(role, layer: layer)
      try add(stem + ".weight", type, [rows, columns]) { [self] in
        try encode(values(), as: type, name: stem + ".weight")
      }
    }
    linearBytes += tensors.suffix(export.form == .packed ? 2 : 1)
      .reduce(0) { $0 + $1.info.byteCount }
  }

  /// The trits of a layer with their one scale.
  private func trits(_ role: LinearRole, _ layer: Int) throws -> TernaryMatrix {
    let weights = try weights(role, layer)
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

  private func floats(_ role: LinearRole, _ layer: Int) throws -> Matrix<Float> {
    if case .ternary(let matrix) = try checkpoint.linear(role, layer: layer).weights,
      matrix.granularity == .tensor, export.selection.quantizer == nil,
      checkpoint.configuration.quantization != nil
    {
      throw refused(
        "the checkpoint holds trits, not masters", "trits with one scale a tensor", role, layer,
        advice: "take --type hf-packed: floats would be ternarised again, to another scale")
    }
    let weights =
      export.selection.quantizer == nil
      ? try source(role, layer) : try weights(role, layer)
    return weights.dequantized()
  }

  private func refused(
    _ what: String, _ form: String, _ role: LinearRole, _ layer: Int, advice: String
  ) -> LabError {
    LabError(
      .usage, what, at: LayerResolver.name(role, layer: layer),
      expected: export.form == .packed ? "ternary weights (scale per tensor)" : "float masters",
      got: form, advice: advice)
  }

  /// What the resolver makes of a layer, rows in the order of transformers.
  private func weights(_ role: LinearRole, _ layer: Int) throws -> QuantizedWeights {
    ordered(try resolver.resolve(role, layer: layer).weights, role)
  }

  private func source(_ role: LinearRole, _ layer: Int) throws -> QuantizedWeights {
    ordered(try checkpoint.linear(role, layer: layer).weights, role)
  }

  private func ordered(_ weights: QuantizedWeights, _ role: LinearRole) -> QuantizedWeights {
    guard isGGUF, checkpoint.configuration.ropePairing == .adjacent,
      role == .query || role == .key
    else { return weights }
    return GGUFForm.unpermuted(
      weights, headDimension: checkpoint.configuration.headDimension)
  }

  /// Norms, embedding and head: as they are, where the name and type are of safetensors.
  private func addOther(_ info: TensorInfo) throws {
    let name = isGGUF ? try huggingFaceName(info) : info.name
    guard
      info.type.safetensorsName == nil
        || export.form == .bfloat16 && info.type == .f32
          && info.shape.count > 1
    else { return try add(name, copying: info) }
    let source = checkpoint.source
    let values = {
      guard info.shape.count == 2 else { return try source.floats(info.name) }
      let buffer = AlignedBuffer<Float>(count: info.count)
      try MatrixRows(info.name, in: source).read(0..<info.shape[0], into: buffer.mutableBuffer)
      return buffer
    }
    let type: TensorType =
      info.type == .f32 ? .bf16 : try Self.narrowest(values())
    try add(name, type, info.shape) { [self] in
      try encode(values(), as: type, name: name)
    }
  }

  /// The name of transformers for a tensor of a GGUF file that is no linear layer. Throws `badData`
  /// for one that the class does not have.
  private func huggingFaceName(_ info: TensorInfo) throws -> String {
    let gguf = TensorNames.gguf
    if info.name == gguf.embedding { return names.embedding }
    if info.name == gguf.finalNorm { return names.finalNorm }
    if info.name == gguf.head { return names.head }
    for layer in 0..<checkpoint.configuration.layers {
      for role in NormRole.allCases where gguf.norm(role, layer: layer).contains(info.name) {
        return names.norm(role, layer: layer)[0]
      }
    }
    throw LabError(
      .badData, "\(architecture) has no tensor like '\(info.name)'", at: checkpoint.source.path,
      expected: "embedding, head, norms and linear layers alone",
      got: "\(info.type.name) \(info.shape)", advice: "keep the model as GGUF")
  }

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

  /// bf16, unless float16 alone holds every value.
  private static func narrowest(_ values: AlignedBuffer<Float>) throws -> TensorType {
    let isBF16 = values.buffer.allSatisfy {
      FloatDecoding.bfloat16(FloatEncoding.bfloat16($0)) == $0
    }
    guard !isBF16 else { return .bf16 }
    let isF16 = values.buffer.allSatisfy { FloatDecoding.float16(FloatEncoding.float16($0)) == $0 }
    return isF16 ? .f16 : .bf16
  }

  private func encode(_ values: AlignedBuffer<Float>, as type: TensorType, name: String) throws
    -> AlignedBuffer<UInt8>
  {
    let bytes = try withExtendedLifetime(values) {
      AlignedBuffer(try FloatEncoding.encode(values, as: type))
    }
    let back = AlignedBuffer<Float>(count: values.count)
    _ = try withExtendedLifetime(bytes) {
      try FloatDecoding.decode(bytes.rawBuffer, as: type, to: back.mutableBuffer)
    }
    var (changed, worst) = (0, Float(0))
    for index in 0..<values.count where back.base[index] != values.base[index] {
      changed += 1
      worst = max(worst, abs(back.base[index] - values.base[index]))
    }
    if changed > 0 {
      notes.append(
        "\(name): \(changed) of \(values.count) values change to \(type.name), by at most \(worst)")
    }
    return bytes
  }

  // MARK: Configuration

  /// `config.json`: the checkpoint's own with another quantization, or one for a GGUF file.
  func configuration() throws -> JSONValue {
    var members =
      isGGUF
      ? ggufMembers()
      : try checkpoint.files.perform {
        try JSONReader.readFile(checkpoint.path + "/config.json").object ?? []
      }
    func set(_ key: String, _ value: JSONValue?) {
      members.removeAll { $0.key == key }
      if let value { members.append((key, value)) }
    }
    guard export.form == .packed else {
      if isGGUF || export.selection.quantizer != nil { set("quantization_config", nil) }
      return .object(members)
    }
    var quantization =
      members.first { $0.key == "quantization_config" }?.value.object ?? []
    let own: [(key: String, value: JSONValue)] = [
      ("quant_method", "bitnet"), ("linear_class", "autobitlinear"),
      ("quantization_mode", "offline"),
    ]
    quantization.removeAll { member in own.contains { $0.key == member.key } }
    set("quantization_config", .object(own + quantization))
    return .object(members)
  }

  private func ggufMembers() -> [(key: String, value: JSONValue)] {
    let configuration = checkpoint.configuration
    var members: [(key: String, value: JSONValue)] = [
      ("architectures", .array([.string(architecture)])),
      ("model_type", .string(architecture == "BitNetForCausalLM" ? "bitnet" : "llama")),
      ("hidden_size", JSONValue(configuration.hiddenSize)),
      ("intermediate_size", JSONValue(configuration.feedForwardSize)),
      ("num_hidden_layers", JSONValue(configuration.layers)),
      ("num_attention_heads", JSONValue(configuration.heads)),
      ("num_key_value_heads", JSONValue(configuration.keyValueHeads)),
      ("head_dim", JSONValue(configuration.headDimension)),
      ("vocab_size", JSONValue(configuration.vocabularySize)),
      ("max_position_embeddings", JSONValue(configuration.contextLength)),
      ("rms_norm_eps", JSONValue(configuration.normEpsilon)),
      ("rope_theta", JSONValue(configuration.ropeBase)),
      ("hidden_act", .string(configuration.activation == .relu2 ? "relu2" : "silu")),
      ("tie_word_embeddings", .bool(checkpoint.tiesEmbeddings)),
      ("torch_dtype", .string("bfloat16")),
    ]
    if let token = configuration.bosToken { members.append(("bos_token_id", JSONValue(token))) }
    if configuration.eosTokens.count == 1 {
      members.append(("eos_token_id", JSONValue(configuration.eosTokens[0])))
    } else if configuration.eosTokens.count > 1 {
      members.append(("eos_token_id", JSONValue(configuration.eosTokens)))
    }
    if case .linear(let factor) = configuration.ropeScaling {
      members.append(("rope_scaling", ["type": "linear", "factor": JSONValue(factor)]))
    }
    return members
  }

  // MARK: Reading back

  /// Opens the folder as anybody would and compares all tensors. Throws `badData` for the first
  /// that is not what it should be.
  func compare(at path: String, reading: ((Int, Int) -> Void)?) throws {
    let copy: Checkpoint
    do {
      copy = try Checkpoint(path: path, packings: export.lab[.packing])
    } catch var error as LabError {
      error.what = "the folder could not be read back: " + error.what
      throw error
    }
    let layers = checkpoint.configuration.layers
    let count = layers * LinearRole.allCases.count
    for layer in 0..<layers {
      for role in LinearRole.allCases {
        try Interruption.check()
        try compare(role, layer, copy)
        checkpoint.release(role, layer: layer)
        copy.release(role, layer: layer)
        reading?(
          layer * LinearRole.allCases.count + (LinearRole.allCases.firstIndex(of: role) ?? 0) + 1,
          count)
      }
    }
    for info in checkpoint.source.tensors {
      let name = isGGUF ? (try? huggingFaceName(info)) ?? info.name : info.name
      guard info.type.safetensorsName != nil, let other = copy.source.info(name),
        other.type == info.type
      else { continue }
      let isSame = try withExtendedLifetime(copy) {
        try checkpoint.source.bytes(info.name).elementsEqual(try copy.source.bytes(name))
      }
      guard isSame else { throw differs(name) }
    }
  }

  private func compare(_ role: LinearRole, _ layer: Int, _ copy: Checkpoint) throws {
    let stem = names.linear(role, layer: layer)
    let written = try copy.linear(role, layer: layer).weights
    if export.form == .packed, !dense.contains(stem) {
      let wanted = try trits(role, layer)
      guard case .ternary(let got) = written, got.scales == wanted.scales,
        got.trits.buffer.elementsEqual(wanted.trits.buffer)
      else { throw differs(stem) }
      return
    }
    let wanted =
      dense.contains(stem)
      ? try source(role, layer).dequantized() : try floats(role, layer)
    let got = written.dequantized()
    let type = copy.source.info(stem + ".weight")?.type ?? .f32
    var comparison = ExportCheck.Comparison()
    wanted.storage.span.withUnsafeBufferPointer { wanted in
      got.storage.span.withUnsafeBufferPointer { comparison.add(wanted, $0) }
    }
    guard comparison.notFinite == nil, comparison.relative <= ExportCheck.bound(type) else {
      throw differs(stem)
    }
  }

  private func differs(_ name: String) -> LabError {
    LabError(
      .badData, "tensor '\(name)' does not come back from the folder", at: checkpoint.path,
      expected: "what was written", advice: "keep the model in the format that it has")
  }
}

extension GGUFForm {
  /// The inverse of `permuted`: rows of q or k in half-split pairs.
  static func unpermuted(_ weights: QuantizedWeights, headDimension: Int) -> QuantizedWeights {
    // Row i comes from where `permuted` put it: 2 i of the first half, 2 (i − d/2) + 1 of the
    // second.
    func from(_ row: Int) -> Int {
      let (head, offset) = row.quotientAndRemainder(dividingBy: headDimension)
      let half = headDimension / 2
      return head * headDimension + (offset < half ? 2 * offset : 2 * (offset - half) + 1)
    }
    return reordered(weights, from)
  }
}
