#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif
public import TritCore
public import TritFormats
public import TritKernels
public import TritTokenization

/// A linear layer as a checkpoint holds it, before any quantizer of the lab has touched it.
public struct SourceLinear: Sendable {
  /// Trits as they are stored, or float values.
  public var weights: QuantizedWeights
  /// Gains of the RMSNorm inside the linear, `[columns]`; nil where there is none.
  public var innerNorm: [Float]?
}

/// A model on disk: configuration, tensors by role, tokenizer. Weights are read when asked for, one
/// tensor at a time.
public struct Checkpoint: Sendable {
  /// The file or folder.
  public let path: String
  /// Shape and constants.
  public let configuration: ModelConfiguration
  /// The tensors.
  public let source: any TensorSource
  /// The files that all of this is read from: weights, configuration and tokenizer of one opening.
  public let files: OpenedFiles
  /// Whether the output head is the embedding matrix.
  public let tiesEmbeddings: Bool
  /// What a user should know of how the model was read, in sentences: each is to be said once.
  public let notes: [String]
  /// The tokenizer's file or folder where the caller named one; nil is the checkpoint's own.
  public let tokenizerPath: String?
  /// What the model computes: its configuration, and the optional tensors that it has.
  public let plan: ModelPlan
  package let names: TensorNames
  private let packings: Registry<any Packing>

  /// Opens a GGUF file or a Hugging Face folder and checks that every tensor the architecture needs
  /// is there in the right shape, and that no tensor is left over. `tokenizer`: the file or folder
  /// of a tokenizer in place of the checkpoint's own. Throws `missingInput` or `badData`.
  public init(
    path: String, tokenizer: String? = nil, packings: Registry<any Packing> = .standard
  ) throws {
    let files = OpenedFiles()
    self = try files.perform {
      try Checkpoint(path: path, tokenizer: tokenizer, packings: packings, files: files)
    }
    Self.keepTokenizer(of: path, in: files)
  }

  private init(
    path: String, tokenizer: String?, packings: Registry<any Packing>, files: OpenedFiles
  ) throws {
    self.path = path
    tokenizerPath = tokenizer
    self.packings = packings
    self.files = files
    if ModelLocation.isDirectory(path) {
      configuration = try ModelConfiguration(huggingFace: path + "/config.json")
      source = try Safetensors.open(directory: path)
      let base = TensorNames.huggingFaceBase
      names = source.info(base.finalNorm) == nil ? .huggingFace : base
    } else {
      names = .gguf
      let file = try GGUFFile(path: path)
      if let part = ModelPart(file) { throw part.error(at: path) }
      configuration = try ModelConfiguration(gguf: file)
      source = try FusedTensors.parted(file, configuration)
    }
    let head = try Self.tie(configuration, names, source)
    tiesEmbeddings = head.ties
    notes = configuration.notes + head.notes
    let (names, source) = (names, source)
    plan = ModelPlan(
      configuration,
      subNorms: Set(
        NormRole.subNorms.filter { role in
          names.norm(role, layer: 0).contains { source.info($0) != nil }
        }),
      biases: configuration.biases
        ?? Set(
          LinearRole.allCases.filter {
            source.info(names.linear($0, layer: 0) + ".bias") != nil
          }))
    try checkTensors()
  }

  /// Whether the head is the embedding. A stored head that differs is used, whatever the
  /// configuration says, as transformers 5 does; transformers 4 tied it anyway.
  private static func tie(
    _ configuration: ModelConfiguration, _ names: TensorNames, _ source: any TensorSource
  ) throws -> (ties: Bool, notes: [String]) {
    guard let ties = configuration.tiesEmbeddings else {
      return (source.info(names.head) == nil, [])
    }
    guard ties, let head = source.info(names.head), let embedding = source.info(names.embedding)
    else { return (ties, []) }
    if head.type == embedding.type, head.shape == embedding.shape {
      let (a, b) = (try source.bytes(head.name), try source.bytes(embedding.name))
      if let left = a.baseAddress, let right = b.baseAddress, a.count == b.count,
        memcmp(left, right, a.count) == 0
      {
        return (true, [])
      }
    }
    return (
      false,
      [
        "the configuration ties the output head to the embedding, but '\(head.name)' is stored and differs: "
          + "the stored one is used, as transformers 5 does (transformers 4 tied them all the same)"
      ]
    )
  }

  /// The tokenizer that the caller named, else the one that belongs to the checkpoint: inside it,
  /// or beside a GGUF file that has none; of the same opening as the weights. Throws `missingInput`
  /// where there is none, `badData` for a broken one.
  public func tokenizer() throws -> any Tokenizer {
    try files.perform { try TokenizerLoader.load(path: tokenizerPath ?? path) }
  }

  /// The file or folder outside the checkpoint that its tokenizer comes from; nil where it is
  /// inside.
  public var outsideTokenizer: String? {
    tokenizerPath ?? (source as? GGUFFile).flatMap { TokenizerLoader.outsideFile(gguf: $0) }
  }

  /// Whether the configuration says that a linear layer stays dense with float inputs
  /// (`modules_to_not_convert`).
  public func isUnconverted(_ role: LinearRole, layer: Int) -> Bool {
    names != .gguf && configuration.isUnconverted(role, layer: layer)
  }

  /// Whether blocks have norms before the output and down projections.
  public var hasSubNorms: Bool { plan.block.hasSubNorms }

  /// The embedding matrix's tensor, `[vocabulary, hidden]`. A tied matrix is stored once, under
  /// either name.
  public var embeddingName: String {
    tiesEmbeddings && source.info(names.embedding) == nil && source.info(names.head) != nil
      ? names.head : names.embedding
  }

  /// The output head's tensor: the embedding where it is tied.
  public var headName: String { tiesEmbeddings ? embeddingName : names.head }

  /// Gains of the norm before the head, `[hidden]`.
  func finalNorm() throws -> [Float] {
    gains(try vector(names.finalNorm, count: configuration.hiddenSize))
  }

  /// Gains of a norm of the block, as they multiply; nil where the plan has no such norm.
  func norm(_ role: NormRole, layer: Int) throws -> [Float]? {
    guard plan.block.norms.contains(role) else { return nil }
    return gains(try vector(normName(role, layer: layer), count: configuration.width(of: role)))
  }

  /// The tensor of a norm: the first name that exists, else the first.
  package func normName(_ role: NormRole, layer: Int) -> String {
    let all = names.norm(role, layer: layer, between: configuration.hasPostNorms)
    return all.first { source.info($0) != nil } ?? all[0]
  }

  /// Stored gains as they multiply.
  private func gains(_ stored: [Float]) -> [Float] {
    configuration.normOffset == 0 ? stored : stored.map { $0 + configuration.normOffset }
  }

  /// The bias of a linear layer, `[rows]`.
  func bias(_ role: LinearRole, layer: Int) throws -> [Float] {
    try vector(
      names.linear(role, layer: layer) + ".bias", count: role.shape(configuration).rows)
  }

  /// The rotation of a layer's input; nil where its weights are not rotated.
  func rotation(_ role: LinearRole, layer: Int) -> HadamardRotation? {
    configuration.rotation.flatMap {
      $0.tensors.contains(names.linear(role, layer: layer) + ".weight") ? $0 : nil
    }
  }

  /// Frequency factors of the rotary embedding, if the file holds them (llama3 scaling in GGUF).
  func ropeFrequencyFactors() throws -> [Float]? {
    guard source.info("rope_freqs.weight") != nil else { return nil }
    return try vector("rope_freqs.weight", count: configuration.ropeDimension / 2)
  }

  /// The weights of one linear layer, exactly as stored: trits where the file holds trits (also
  /// when it holds them as floats), else float values.
  public func linear(_ role: LinearRole, layer: Int) throws -> SourceLinear {
    let stem = names.linear(role, layer: layer)
    let (rows, columns) = role.shape(configuration)
    let info = try self.info(stem + ".weight")
    let innerNorm =
      isUnconverted(role, layer: layer) ? nil : try innerNorm(role, layer: layer)
    if info.type == .u8 {
      let stored = try vector(stem + ".weight_scale", count: 1)[0]
      let divides = configuration.quantization?.scaleDivides ?? true
      let matrix = try TernaryTensors.readHuggingFace(
        info, rows: rows, columns: columns, scale: divides ? 1 / stored : stored, from: source)
      return SourceLinear(weights: .ternary(matrix), innerNorm: innerNorm)
    }
    if let (packed, packing) = try packed(role, layer: layer) {
      let matrix = try TernaryTensors.unpack(packed, by: packing, info, from: source)
      return SourceLinear(weights: .ternary(matrix), innerNorm: innerNorm)
    }
    let values = try floats(info.name)
    if let factor = try outputScale(stem) {
      for index in 0..<values.count { values.base[index] *= factor }
    }
    let matrix = Matrix<Float>(storage: values, rows: rows, columns: columns)
    if isUnconverted(role, layer: layer) {
      return SourceLinear(weights: .dense(matrix), innerNorm: innerNorm)
    }
    if let ternary = TernaryTensors.exact(matrix) {
      return SourceLinear(weights: .ternary(ternary), innerNorm: innerNorm)
    }
    if configuration.quantization?.isPacked == true {
      throw LabError(
        .badData, "tensor '\(info.name)' holds floats that are no trits", at: source.path,
        expected: "packed trits (uint8), as quantization_mode 'offline' says",
        got: "\(info.type.name) \(info.shape)",
        advice:
          "a layer that stayed dense stands in quantization_config.modules_to_not_convert; float "
          + "masters are quantization_mode 'online'")
    }
    return SourceLinear(weights: .dense(matrix), innerNorm: innerNorm)
  }

  /// The registered packing whose bytes the file has for a layer; nil where it holds no packed
  /// trits, or in another way (`TernaryTensors.readHuggingFace`).
  func packing(_ role: LinearRole, layer: Int) -> String? {
    source.info(names.linear(role, layer: layer) + ".weight")
      .flatMap { TernaryTensors.packing(of: $0.type) }
  }

  /// The bytes of a layer as the file holds them, every code checked, with the scales that they
  /// stand for; nil where it holds no packed trits.
  func packed(_ role: LinearRole, layer: Int) throws -> (
    packed: PackedMatrix, packing: any Packing
  )? {
    let stem = names.linear(role, layer: layer)
    let info = try info(stem + ".weight")
    guard TernaryTensors.isContainer(info.type) else { return nil }
    let (packed, packing) = try TernaryTensors.packed(info, from: source, packings: packings)
    guard let factor = try outputScale(stem) else { return (packed, packing) }
    return (packed.with(scales: packed.scales.map { $0 * factor }, packed.granularity), packing)
  }

  /// Gains of the RMSNorm inside a linear, `[columns]`; nil where linears have none.
  func innerNorm(_ role: LinearRole, layer: Int) throws -> [Float]? {
    guard configuration.quantization?.innerNormEpsilon != nil else { return nil }
    let (_, columns) = role.shape(configuration)
    let all = names.innerNorm(role, layer: layer)
    return try vector(all.first { source.info($0) != nil } ?? all[0], count: columns)
  }

  /// The output head's matrix, read a few rows at a time; every value is checked to be finite.
  package func headRows() throws -> HeadRows {
    let name = headName
    let info = try info(name)
    let (rows, columns) = (configuration.vocabularySize, configuration.hiddenSize)
    let source = source
    if TernaryTensors.isContainer(info.type) {
      // Rows of trits are widened one by one, as the embedding's are.
      let table = try EmbeddingTable(name, in: source)
      var head = HeadRows(rows: rows, columns: columns) { range, out in
        for row in range {
          try table.load(
            row,
            into: UnsafeMutableBufferPointer(
              start: out + (row - range.lowerBound) * columns, count: columns))
        }
      }
      head.ternary = try TernaryTensors.headRows(info, from: source)
      return head
    }
    guard info.byteCount.isMultiple(of: rows), info.type.block != nil else {
      // Rows that share a block, and types without a decoder, which say so.
      let values = try floats(name)
      return HeadRows(rows: rows, columns: columns) { range, out in
        out.update(from: values.base + range.lowerBound * columns, count: range.count * columns)
      }
    }
    let rowBytes = info.byteCount / rows
    let format: HalfHead.Format? = info.type == .f16 ? .f16 : info.type == .bf16 ? .bf16 : nil
    let stored = try format.flatMap {
      StoredHalfRows(
        $0, columns: columns, at: try source.bytes(name).baseAddress, owner: SourceHolder(source))
    }
    return HeadRows(rows: rows, columns: columns, stored: stored) { range, out in
      let bytes = try source.bytes(name)
      let part = range.lowerBound * rowBytes..<range.upperBound * rowBytes
      let values = UnsafeMutableBufferPointer(start: out, count: range.count * columns)
      _ = try FloatDecoding.decode(
        UnsafeRawBufferPointer(rebasing: bytes[part]), as: info.type, to: values)
      source.release(name, part)
      // A sum that is not finite need not come from such a value, but such a value spoils every
      // sum.
      let squares = VectorMath.sumOfSquares(out, count: values.count)
      guard !squares.isFinite, let index = values.firstIndex(where: { !$0.isFinite }) else {
        return
      }
      throw Self.notFinite(
        values[index], name: name, index: range.lowerBound * columns + index, path: source.path)
    }
  }

  /// Keeps the tensors while something views them.
  private final class SourceHolder: Sendable {
    let source: any TensorSource
    init(_ source: any TensorSource) { self.source = source }
  }

  /// Says that the weights of one linear layer will not be read again soon.
  func release(_ role: LinearRole, layer: Int) {
    source.release(names.linear(role, layer: layer) + ".weight")
  }

  /// A float tensor, every value finite. Throws `badData` that names the first value that is not.
  func floats(_ name: String) throws -> AlignedBuffer<Float> {
    let values = try source.floats(name)
    if let index = values.buffer.firstIndex(where: { !$0.isFinite }) {
      throw Self.notFinite(values[index], name: name, index: index, path: source.path)
    }
    return values
  }

  private static func notFinite(_ value: Float, name: String, index: Int, path: String) -> LabError
  {
    LabError(
      .badData, "tensor '\(name)' holds a value that is not finite",
      at: "\(path): \(name)[\(index)]", expected: "finite numbers", got: "\(value)",
      advice: "the checkpoint is damaged, or its training diverged")
  }

  /// llama.cpp's converter writes `<linear>.scale` [1] beside float tensors of arch `bitnet`.
  private func outputScale(_ stem: String) throws -> Float? {
    guard names == .gguf, source.info(stem + ".scale") != nil else { return nil }
    return try vector(stem + ".scale", count: 1)[0]
  }

  private func vector(_ name: String, count: Int) throws -> [Float] {
    let info = try info(name)
    guard info.count == count else {
      throw wrongShape(info, expected: "[\(count)]")
    }
    return try floats(name).array
  }

  private func info(_ name: String) throws -> TensorInfo {
    guard let info = source.info(name) else {
      throw LabError(
        .badData, "tensor '\(name)' is missing", at: source.path,
        expected:
          "every tensor of \(configuration.architecture) with \(configuration.layers) layers",
        advice: Suggestion.didYouMean(name, source.tensors.map(\.name))
          ?? "the checkpoint is incomplete; get it again")
    }
    return info
  }

  private func wrongShape(_ info: TensorInfo, expected: String) -> LabError {
    LabError(
      .badData, "tensor '\(info.name)' has the wrong shape", at: source.path, expected: expected,
      got: "\(info.shape)", advice: "configuration and weights do not belong together")
  }
}

// MARK: - Checks before anything is read

extension Checkpoint {
  /// Presence and shape of every tensor; leftovers are named, since ignoring one would run another
  /// model.
  private func checkTensors() throws {
    var known: Set<String> = [names.embedding, names.finalNorm]
    try checkShape(embeddingName, [configuration.vocabularySize, configuration.hiddenSize])
    _ = try info(names.finalNorm)
    if !tiesEmbeddings {
      try checkShape(names.head, [configuration.vocabularySize, configuration.hiddenSize])
    }
    known.insert(names.head)
    if names == .gguf, configuration.ropeScaling.isLongrope {
      known.formUnion(TensorNames.ropeFactors)
    }
    for layer in 0..<configuration.layers {
      for role in plan.block.norms {
        let all = names.norm(role, layer: layer, between: configuration.hasPostNorms)
        known.formUnion(all)
        _ = try info(normName(role, layer: layer))
      }
      for role in plan.block.biases {
        known.insert(try info(names.linear(role, layer: layer) + ".bias").name)
      }
      for role in plan.block.linears {
        let stem = names.linear(role, layer: layer)
        let (rows, columns) = role.shape(configuration)
        let weight = try info(stem + ".weight")
        known.insert(weight.name)
        if weight.type == .u8 {
          try checkPacked(weight, role, layer)
          _ = try info(stem + ".weight_scale")
          try checkShape(weight.name, [(rows + 3) / 4, columns])
        } else {
          try checkShape(weight.name, [rows, columns])
        }
        known.formUnion([stem + ".weight_scale", stem + ".scale"])
        if configuration.quantization?.innerNormEpsilon != nil {
          known.formUnion(names.innerNorm(role, layer: layer))
        }
      }
    }
    if let stray = source.tensors.first(where: {
      !known.contains($0.name) && !names.isIgnorable($0.name)
    }) {
      throw LabError(
        .badData, "tensor '\(stray.name)' is not part of \(configuration.architecture)",
        at: source.path, expected: "only tensors that the lab computes with",
        got: "\(stray.type) \(stray.shape)",
        advice: "this variant of the architecture is not supported")
    }
  }

  /// Packed trits are what the configuration says that they are.
  private func checkPacked(_ weight: TensorInfo, _ role: LinearRole, _ layer: Int) throws {
    let reason: String?
    if isUnconverted(role, layer: layer) {
      reason = "a dense layer: quantization_config.modules_to_not_convert lists it"
    } else if let quantization = configuration.quantization {
      reason =
        quantization.isOnline
        ? "float masters, as quantization_config.quantization_mode 'online' says" : nil
    } else {
      reason = "floats: the configuration has no quantization_config"
    }
    guard let reason else { return }
    throw LabError(
      .badData, "tensor '\(weight.name)' is packed, against the configuration", at: source.path,
      expected: reason, got: "\(weight.type.name) \(weight.shape)",
      advice: "configuration and weights do not belong together: take both from one checkpoint")
  }

  private func checkShape(_ name: String, _ shape: [Int]) throws {
    let info = try info(name)
    guard info.shape == shape else { throw wrongShape(info, expected: "\(shape)") }
  }
}
