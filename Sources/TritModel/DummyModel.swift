import TritCore
import TritKernels
public import TritFormats
import TritTokenization

/// Writes GGUF files of random ternary weights in the shape of a published model: everything costs
/// what it costs in the model, and what comes out is noise.
///
/// Weights are I2_S with one scale a tensor; TL2 where rows are no multiple of 128, which I2_S
/// cannot hold (the 8640 columns of 3B, which bitnet.cpp runs by TL1 and TL2 alone), and float16
/// trits where TL2 cannot either. Presets with a scale for every 128 columns have them as PQ2_0,
/// embedding and head too. Norms are float32 around 1, other embeddings float16 or Q6_K. The
/// tokenizer has the 256 bytes and fillers. Bytes stream to the file; nothing of the model's size
/// is in memory. A seed gives the same bytes on every machine.
public struct DummyModel {
  /// The shape.
  public var preset: DummyPreset
  /// Blocks that are written.
  public var layers: Int
  /// The type of embedding and head: `.f16`, `.q6_k` or `.pq2_0`.
  public var embedding: TensorType
  /// Where the randomness starts.
  public var seed: UInt64

  /// The metadata key of a file with fewer blocks than its model: how many the model has.
  public static let fullLayersKey = "tritlab.full_block_count"

  /// A file of `preset`; `layers` nil writes all blocks, `embedding` nil takes the preset's type.
  public init(
    _ preset: DummyPreset, layers: Int? = nil, embedding: TensorType? = nil, seed: UInt64 = 1
  ) {
    self.preset = preset
    self.layers = layers ?? preset.layers
    self.embedding = embedding ?? preset.embeddingType
    self.seed = seed
  }

  /// Writes the file, whole or not at all. Throws usage errors for a type or a number of layers
  /// that do not fit, `cannotCreate` where the file cannot be written, and `interrupted`.
  public func write(to path: String) throws {
    guard (1...4096).contains(layers) else {
      throw LabError(
        .usage, "the number of layers is out of range", expected: "1…4096", got: "\(layers)")
    }
    guard [.f16, .q6_k, .pq2_0].contains(embedding) else {
      throw LabError(
        .usage, "a dummy's embedding has no such type", expected: "f16, q6_k or pq2_0",
        got: embedding.name)
    }
    let block = embedding.block?.elements ?? 1
    guard preset.hiddenSize.isMultiple(of: block) else {
      throw LabError(
        .usage, "\(embedding.name) holds rows of a multiple of \(block)",
        expected: "an embedding in f16", got: "a hidden size of \(preset.hiddenSize)")
    }
    var writer = GGUFWriter()
    describe(&writer)
    try addTensors(&writer)
    try writer.write(to: path)
  }

  // MARK: Metadata

  private func describe(_ writer: inout GGUFWriter) {
    let configuration = preset.configuration
    let architecture = configuration.architecture
    func number(_ key: String, _ value: Int) {
      writer.set("\(architecture).\(key)", .uint32(UInt32(value)))
    }
    writer.set("general.architecture", .string(architecture))
    writer.set("general.name", .string("dummy-\(preset.name)"))
    number("vocab_size", configuration.vocabularySize)
    number("context_length", configuration.contextLength)
    number("embedding_length", configuration.hiddenSize)
    number("block_count", layers)
    if layers < preset.layers {
      writer.set(Self.fullLayersKey, .uint32(UInt32(preset.layers)))
    }
    number("feed_forward_length", configuration.feedForwardSize)
    number("rope.dimension_count", configuration.ropeDimension)
    number("attention.head_count", configuration.heads)
    number("attention.head_count_kv", configuration.keyValueHeads)
    number("attention.key_length", configuration.headDimension)
    number("attention.value_length", configuration.headDimension)
    writer.set(
      "\(architecture).attention.layer_norm_rms_epsilon", .float32(configuration.normEpsilon))
    writer.set("\(architecture).rope.freq_base", .float32(Float(configuration.ropeBase)))
    // I2_S in the numbering of bitnet.cpp's converters, PQ2_0 in that of PrismML's fork of llama.cpp.
    writer.set(
      "general.file_type", .uint32(preset.linearType == .i2_s ? 40 : GGUFExport.fileType(.pq2_0)))
    writer.set("general.quantization_version", .uint32(2))
    describeTokenizer(&writer)
  }

  private func describeTokenizer(_ writer: inout GGUFWriter) {
    var tokens: [String] = []
    var types: [Int32] = []
    // Normal 1, control 3 and unused 5 of ggml's token types.
    let ends = [preset.bosToken, preset.eosToken]
    var byte = 0
    for id in 0..<preset.vocabularySize {
      if ends.contains(id) {
        tokens.append(id == preset.eosToken ? "<|end_of_text|>" : "<|begin_of_text|>")
        types.append(3)
      } else if byte < 256 {
        tokens.append(ByteAlphabet.encode([UInt8(byte)]))
        types.append(1)
        byte += 1
      } else {
        tokens.append("<unused\(id)>")
        types.append(5)
      }
    }
    writer.set("tokenizer.ggml.model", .string("gpt2"))
    writer.set("tokenizer.ggml.pre", .string("gpt-2"))
    writer.set("tokenizer.ggml.tokens", .array(.string(tokens)))
    writer.set("tokenizer.ggml.token_type", .array(.int32(types)))
    writer.set("tokenizer.ggml.merges", .array(.string([])))
    writer.set("tokenizer.ggml.bos_token_id", .uint32(UInt32(preset.bosToken)))
    writer.set("tokenizer.ggml.eos_token_id", .uint32(UInt32(preset.eosToken)))
    writer.set("tokenizer.ggml.add_bos_token", .bool(preset.bosToken != preset.eosToken))
  }

  // MARK: Tensors

  private func addTensors(_ writer: inout GGUFWriter) throws {
    var random = SeededRandom(seed: seed)
    let names = TensorNames.gguf
    let plan = preset.plan
    let configuration = plan.configuration
    func norm(_ name: String, _ width: Int) throws {
      writer.add(try Self.norm(name, width, seed: random.next()))
    }
    writer.add(try matrix(names.embedding, seed: random.next()))
    try norm(names.finalNorm, configuration.hiddenSize)
    if configuration.tiesEmbeddings == false {
      writer.add(try matrix(names.head, seed: random.next()))
    }
    for layer in 0..<layers {
      // In the order of the roles, which seeds give the same bytes by.
      for role in NormRole.allCases where plan.block.norms.contains(role) {
        try norm(names.norm(role, layer: layer)[0], configuration.width(of: role))
      }
      for role in LinearRole.allCases where plan.block.linears.contains(role) {
        let (rows, columns) = role.shape(configuration)
        let name = names.linear(role, layer: layer) + ".weight"
        writer.add(
          preset.linearType == .pq2_0
            ? try Self.grouped(name, rows, columns, seed: random.next())
            : try Self.linear(name, rows, columns, seed: random.next()))
      }
    }
  }

  /// Gains in 0.75…1.25.
  private static func norm(_ name: String, _ width: Int, seed: UInt64) throws -> TensorContent {
    var random = SeededRandom(seed: seed)
    let gains = AlignedBuffer((0..<width).map { _ in Float(0.75 + 0.5 * random.uniform()) })
    return try TensorContent(name: name, type: .f32, shape: [width], floats: gains)
  }

  private func matrix(_ name: String, seed: UInt64) throws -> TensorContent {
    let shape = [preset.vocabularySize, preset.hiddenSize]
    if embedding == .pq2_0 { return try Self.grouped(name, shape[0], shape[1], seed: seed) }
    let isBlocks = embedding == .q6_k
    return try TensorContent(name: name, type: embedding, shape: shape) { sink in
      let bytes = try embedding.byteCount(shape: shape)
      try Self.stream(bytes, piece: isBlocks ? 210 * 4096 : 1 << 20, seed: seed, sink) {
        isBlocks ? Self.shapeQ6K($0) : Self.shapeHalves($0)
      }
    }
  }

  /// Trits of equal frequency, and the scale that keeps the variance of what goes through.
  private static func ternary(
    _ name: String, _ rows: Int, _ columns: Int, seed: UInt64
  ) throws -> TensorContent {
    try TensorContent(name: name, type: .i2_s, shape: [rows, columns]) { sink in
      try stream(rows * columns / 4, piece: 1 << 20, seed: seed, sink) { words in
        shapeCodes(UnsafeMutableRawBufferPointer(words))
      }
      var tail = [UInt8](repeating: 0, count: 32)
      withUnsafeBytes(of: scale(columns).bitPattern.littleEndian) {
        tail.replaceSubrange(0..<4, with: $0)
      }
      try tail.withUnsafeBytes { try sink($0) }
    }
  }

  /// Trits with a scale for every 128 columns, within 25 % of each other.
  private static func grouped(
    _ name: String, _ rows: Int, _ columns: Int, seed: UInt64
  ) throws -> TensorContent {
    let type = TensorType.pq2_0
    guard let block = type.block?.bytes else { throw LabError(.failure, "PQ2_0 has no blocks") }
    return try TensorContent(name: name, type: type, shape: [rows, columns]) { sink in
      let bytes = try type.byteCount(shape: [rows, columns])
      let scale = scale(columns)
      try stream(bytes, piece: block * 4096, seed: seed, sink) { words in
        let bytes = UnsafeMutableRawBufferPointer(words)
        for start in stride(from: 0, to: bytes.count - block + 1, by: block) {
          // A float16, then four codes a byte.
          let factor = 0.75 + Float(bytes[start]) / 512
          withUnsafeBytes(of: Float16(scale * factor).bitPattern.littleEndian) {
            bytes[start] = $0[0]
            bytes[start + 1] = $0[1]
          }
          shapeCodes(UnsafeMutableRawBufferPointer(rebasing: bytes[start + 2..<start + block]))
        }
      }
    }
  }

  /// Random bytes to four codes each.
  private static func shapeCodes(_ bytes: UnsafeMutableRawBufferPointer) {
    for index in bytes.indices { bytes[index] = codes[Int(bytes[index])] }
  }

  /// Trits in the first container that holds the shape.
  private static func linear(
    _ name: String, _ rows: Int, _ columns: Int, seed: UInt64
  ) throws -> TensorContent {
    if columns.isMultiple(of: 128) { return try ternary(name, rows, columns, seed: seed) }
    let packing = TL2Packing()
    // The file's size of a TL2 tensor is told by 256 columns and the rest.
    guard columns >= 256,
      (try? packing.check(rows: rows, columns: columns, granularity: .tensor)) != nil
    else {
      return try floatTrits(name, rows, columns, seed: seed)
    }
    return try TensorContent(name: name, type: .tl2, shape: [rows, columns]) { sink in
      var random = SeededRandom(seed: seed)
      let trits = AlignedBuffer<Int8>(count: rows * columns)
      for index in 0..<trits.count { trits.base[index] = Int8(random.below(3)) - 1 }
      let packed = try packing.pack(
        .ternary(
          TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale(columns)])))
      try packed.bytes.span.bytes.withUnsafeBytes { try sink($0) }
    }
  }

  /// The same values as float16: what converters write where no ternary container fits.
  private static func floatTrits(
    _ name: String, _ rows: Int, _ columns: Int, seed: UInt64
  ) throws -> TensorContent {
    try TensorContent(name: name, type: .f16, shape: [rows, columns]) { sink in
      let half = UInt64(Float16(scale(columns)).bitPattern)
      let values: [UInt64] = [half | 0x8000, 0, half]
      try stream(2 * rows * columns, piece: 1 << 20, seed: seed, sink) { words in
        for index in words.indices {
          let bits = words[index]
          var four: UInt64 = 0
          for shift in stride(from: 0, to: 64, by: 16) {
            let chunk = (bits >> UInt64(shift)) & 0xFFFF
            four |= values[Int((chunk * 3) >> 16)] << UInt64(shift)
          }
          words[index] = four
        }
      }
    }
  }

  /// √(3/2 / columns): a trit has the variance 2/3.
  private static func scale(_ columns: Int) -> Float { (1.5 / Float(columns)).squareRoot() }

  /// Four codes of 0, 1, 2 for each byte value. 256 values fall on 81 patterns 3 or 4 times:
  /// frequencies differ by a few per cent between patterns.
  private static let codes: [UInt8] = (0..<256).map { value in
    let pattern = value * 81 / 256
    let (a, b, c, d) = (pattern / 27, pattern / 9 % 3, pattern / 3 % 3, pattern % 3)
    return UInt8((a << 6) | (b << 4) | (c << 2) | d)
  }

  /// Random bits to float16 of both signs with magnitudes of 2⁻⁸ to 2⁻⁴.
  private static func shapeHalves(_ words: UnsafeMutableBufferPointer<UInt64>) {
    for index in words.indices {
      // Exponents 7…10 of bias 15: two random bits above 7 << 10.
      words[index] = (words[index] & 0x8FFF_8FFF_8FFF_8FFF) &+ 0x1C00_1C00_1C00_1C00
    }
  }

  /// Random bits to Q6_K blocks: quants as they are, scales of 16…47, block scale 2⁻¹⁴.
  private static func shapeQ6K(_ words: UnsafeMutableBufferPointer<UInt64>) {
    let bytes = UnsafeMutableRawBufferPointer(words)
    for block in 0..<(bytes.count / 210) {
      let at = block * 210
      for index in 192..<208 { bytes[at + index] = 16 + bytes[at + index] & 31 }
      bytes[at + 208] = 0x00
      bytes[at + 209] = 0x04
    }
  }

  /// Hands `bytes` bytes of random bits to `sink`, piece by piece, each shaped first. `piece` is a
  /// multiple of 8 and of every block.
  private static func stream(
    _ bytes: Int, piece: Int, seed: UInt64, _ sink: TensorContent.Sink,
    shape: (UnsafeMutableBufferPointer<UInt64>) -> Void
  ) throws {
    var random = SeededRandom(seed: seed)
    let buffer = AlignedBuffer<UInt64>(count: (piece + 7) / 8)
    var left = bytes
    while left > 0 {
      try Interruption.check()
      let count = min(piece, left)
      let words = UnsafeMutableBufferPointer(rebasing: buffer.mutableBuffer[0..<((count + 7) / 8)])
      for index in words.indices { words[index] = random.next() }
      shape(words)
      try sink(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(words)[0..<count]))
      left -= count
    }
  }
}
