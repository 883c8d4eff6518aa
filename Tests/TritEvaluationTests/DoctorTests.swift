import Foundation
import Testing
import TritLab
import _TritTestSupport

/// A healthy model, and for each fault a copy that has it: each is found, and nothing else.
@Suite struct DoctorTests {
  /// The built-in model as I2_S: trained, so that what it makes of a text means something.
  final class Model: Sendable {
    let folder: TemporaryFolder
    let path: String

    init() throws {
      folder = try TemporaryFolder("doctor")
      path = folder.file("healthy.gguf")
      let checkpoint = try Checkpoint(path: ModelLocation.resolve("builtin:storyteller"))
      _ = try GGUFExport(checkpoint, linear: .i2_s).write(to: path)
    }

    /// A copy with other key-values and other bytes of tensors.
    func copy(
      _ change: (inout [(key: String, value: GGUFValue)]) -> Void = { _ in },
      adding: [TensorContent] = [], bytes: (TensorInfo, inout [UInt8]) -> Void = { _, _ in }
    ) throws -> String {
      let file = try GGUFFile(path: path)
      var metadata = file.metadata
      change(&metadata)
      var writer = GGUFWriter()
      for (key, value) in metadata { writer.set(key, value) }
      for info in file.tensors {
        var own = Array(try file.bytes(info.name))
        bytes(info, &own)
        writer.add(
          try TensorContent(name: info.name, type: info.type, shape: info.shape, bytes: own))
      }
      for tensor in adding { writer.add(tensor) }
      let copy = folder.file("\(UUID().uuidString).gguf")
      try writer.write(to: copy)
      return copy
    }

    /// A copy with other bytes of tensors.
    func spoiled(_ change: (TensorInfo, inout [UInt8]) -> Void) throws -> String {
      try copy(bytes: change)
    }
  }

  static let model = Result { try Model() }

  private func checks(_ path: String, runs: Bool = true) throws -> [DoctorCheck] {
    try examined(path, runs: runs).findings.map(\.check)
  }

  private func examined(_ path: String, runs: Bool = true) throws -> ModelExamination {
    var doctor = ModelDoctor()
    doctor.runs = runs
    return try doctor.examine(path)
  }

  /// Sets or (nil) removes a key.
  private func set(
    _ metadata: inout [(key: String, value: GGUFValue)], _ key: String, _ value: GGUFValue?
  ) {
    metadata.removeAll { $0.key == key }
    if let value { metadata.append((key, value)) }
  }

  private func with(_ key: String, _ value: GGUFValue?) throws -> String {
    try Self.model.get().copy { set(&$0, key, value) }
  }

  // MARK: Healthy models

  @Test func nothingIsWrongWithAHealthyModel() throws {
    let result = try examined(Self.model.get().path)
    #expect(result.findings.isEmpty, "\(result.findings)")
    #expect(
      result.trials.map(\.name)
        == ["as it is", "I2_S layout arm64", "I2_S layout rows4", "SiLU"])
    // Every order but the file's own gives nonsense.
    let losses = result.trials.map { log($0.perplexity) }
    #expect(losses[1...2].allSatisfy { $0 > losses[0] + ModelDoctorMargin.least }, "\(losses)")
    let matrix = try #require(result.tensors.first { $0.info.name == "blk.0.attn_q.weight" })
    let trits = try #require(matrix.trits)
    #expect(trits.negative + trits.zero + trits.positive == 256 * 256)
    #expect(try #require(matrix.entropy) > 1.2 && matrix.scales.count == 1)
    #expect(
      matrix.minimum == -Double(matrix.scales[0]) && matrix.maximum == Double(matrix.scales[0]))
  }

  @Test(arguments: TinyCheckpoint.Kind.allCases)
  func nothingIsWrongWithSmallFolders(kind: TinyCheckpoint.Kind) throws {
    let folder = try TemporaryFolder("doctor")
    let result = try examined(TinyCheckpoint.write(kind, in: folder))
    #expect(result.findings.isEmpty, "\(result.findings)")
    #expect(result.container == "Hugging Face" && !result.tensors.isEmpty)
  }

  @Test(arguments: [TensorType.tq1_0, .tq2_0, .tl1, .tl2, .f16, .q8_0])
  func nothingIsWrongWithExports(type: TensorType) throws {
    let folder = try TemporaryFolder("doctor")
    let path = folder.file("model.gguf")
    let checkpoint = try Checkpoint(path: ModelLocation.resolve("builtin:storyteller"))
    _ = try GGUFExport(checkpoint, linear: type).write(to: path)
    let result = try examined(path)
    #expect(result.findings.isEmpty, "\(type): \(result.findings)")
  }

  @Test(arguments: BuiltinModels.names)
  func nothingIsWrongWithBuiltinModels(name: String) throws {
    let result = try examined(ModelLocation.resolve("builtin:\(name)"))
    #expect(result.findings.isEmpty, "\(name): \(result.findings)")
  }

  /// Files of others; what the lab does not run yet may be refused, and nothing else.
  @Test(.enabled(if: SharedData.isPresent))
  func nothingIsWrongWithModelsOfOthers() throws {
    let root = try #require(SharedData.root) + "/data/"
    let names = try ["golden", "families", "containers"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: root + folder).sorted()
        .map { folder + "/" + $0 }
    }
    let models =
      names + [
        "models/TinyStories-656K", "models/bitstories-3M",
        "models/bitstories-3M/bitstories-3M-i2_s.gguf", "models/stories260K/stories260K.gguf",
      ]
    for name in models {
      let result = try examined(root + name)
      if name.contains("hadamard") {
        #expect(result.findings.map(\.check) == [.hadamard], "\(name): \(result.findings)")
        continue
      }
      let found = result.findings.filter { finding in
        // Types and families that another part of the lab does not read.
        !(name.hasPrefix("families") || name.hasPrefix("containers"))
          || ![.refused, .typeID].contains(finding.check)
      }
      #expect(found.isEmpty, "\(name): \(found)")
    }
  }

  // MARK: Tokenizer

  @Test func aMissingOrWrongPreTokenizerIsFound() throws {
    let key = "tokenizer.ggml.pre"
    #expect(try checks(with(key, nil)) == [.preTokenizer])
    #expect(try checks(with(key, .string("nobody-knows"))) == [.preTokenizer])
    let found = try #require(try examined(with(key, nil)).findings.first)
    #expect(found.check.issues.contains("microsoft/BitNet#508"))
  }

  /// A name that is known and not the vocabulary's: with tokens of two digits, Qwen's, which cuts at
  /// every digit, makes ninety of them unreachable; GPT-2's, which made them, and Llama 3's, which
  /// takes three digits at once, do not.
  @Test(arguments: [("gpt-2", false), ("llama-bpe", false), ("qwen2", true), ("starcoder", true)])
  func aKnownPreTokenizerOfAnotherVocabularyIsFound(name: String, isWrong: Bool) throws {
    let path = try Self.model.get().copy { metadata in
      func strings(_ key: String) -> [String] {
        metadata.first { $0.key == key }?.value.strings ?? []
      }
      let pairs = (10...99).map { "\($0)" }
      var (tokens, merges) = (strings("tokenizer.ggml.tokens"), strings("tokenizer.ggml.merges"))
      // Merges stand in the order of the tokens that they make: the last ones make way.
      tokens.replaceSubrange(tokens.count - 90..<tokens.count, with: pairs)
      merges.replaceSubrange(
        merges.count - 90..<merges.count, with: pairs.map { "\($0.prefix(1)) \($0.suffix(1))" })
      set(&metadata, "tokenizer.ggml.tokens", .array(.string(tokens)))
      set(&metadata, "tokenizer.ggml.merges", .array(.string(merges)))
      set(&metadata, "tokenizer.ggml.pre", .string(name))
    }
    let found = try examined(path, runs: false).findings
    #expect(found.map(\.check) == (isWrong ? [.preTokenizer] : []), "\(found)")
    if isWrong { #expect(found[0].what.contains("cut by '\(name)'")) }
  }

  @Test func aVocabularyOfAnotherSizeIsFound() throws {
    for change in [-1, 1] {
      let path = try Self.model.get().copy { metadata in
        for key in ["tokens", "token_type", "scores"] {
          let name = "tokenizer.ggml.\(key)"
          guard let value = metadata.first(where: { $0.key == name })?.value else { continue }
          switch value.array {
          case .string(var list)?:
            if change < 0 { list.removeLast() } else { list.append("one more") }
            set(&metadata, name, .array(.string(list)))
          case .int32(var list)?:
            if change < 0 { list.removeLast() } else { list.append(1) }
            set(&metadata, name, .array(.int32(list)))
          case .float32(var list)?:
            if change < 0 { list.removeLast() } else { list.append(0) }
            set(&metadata, name, .array(.float32(list)))
          default: break
          }
        }
      }
      #expect(try checks(path, runs: false) == [.vocabulary], "\(change)")
    }
  }

  /// The model with tokens of turns and a template, `text`, or none.
  private func chat(_ text: String?, declares: Bool = true) throws -> String {
    try Self.model.get().copy { metadata in
      guard
        case .string(var tokens)? = metadata.first(where: { $0.key == "tokenizer.ggml.tokens" })?
          .value.array,
        case .int32(var types)? = metadata.first(where: { $0.key == "tokenizer.ggml.token_type" })?
          .value.array
      else { return }
      let last = tokens.count - 1
      (tokens[last - 1], tokens[last]) = ("<|im_start|>", "<|im_end|>")
      (types[last - 1], types[last]) = (3, 3)
      set(&metadata, "tokenizer.ggml.tokens", .array(.string(tokens)))
      set(&metadata, "tokenizer.ggml.token_type", .array(.int32(types)))
      // What the two were made of must not be merged any more.
      if case .string(let merges)? = metadata.first(where: { $0.key == "tokenizer.ggml.merges" })?
        .value.array
      {
        set(&metadata, "tokenizer.ggml.merges", .array(.string(Array(merges.dropLast(2)))))
      }
      set(&metadata, "tokenizer.chat_template", text.map { .string($0) })
      if declares { set(&metadata, "tokenizer.ggml.eot_token_id", .uint32(UInt32(last))) }
    }
  }

  @Test func aMissingOrWrongTemplateIsFound() throws {
    let right =
      "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>{% endfor %}"
    #expect(try checks(chat(right), runs: false).isEmpty)
    #expect(try checks(chat(nil), runs: false) == [.chatTemplate])
    let wrong = "{{ 'Human: ' + messages[0]['content'] + '\\n\\nBITNETAssistant: ' }}"
    #expect(try checks(chat(wrong), runs: false) == [.chatTemplate])
    // A turn that ends with a token that is declared nowhere.
    #expect(try checks(chat(right, declares: false), runs: false) == [.endToken])
  }

  @Test func aMissingEndIsFound() throws {
    let key = "tokenizer.ggml.eos_token_id"
    #expect(try checks(with(key, nil), runs: false) == [.endToken])
    #expect(try checks(with(key, .uint32(70_000)), runs: false) == [.endToken])
    let folder = try TemporaryFolder("doctor")
    var small = TinyCheckpoint(.bitnetPacked)
    small.config = small.config.replacingOccurrences(
      of: "\"eos_token_id\": \(TinyTokenizer.end)", with: "\"eos_token_id\": null")
    try small.write(to: folder.file("m"))
    #expect(try checks(folder.file("m"), runs: false) == [.endToken])
  }

  // MARK: Scales

  private static func scale(_ info: TensorInfo, _ bytes: inout [UInt8], _ change: (Float) -> Float)
  {
    guard info.type == .i2_s else { return }
    let place = info.count / 4
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Float.self) }
    withUnsafeBytes(of: change(value)) { bytes.replaceSubrange(place..<place + 4, with: $0) }
  }

  @Test func scalesTheOtherWayRoundAreFound() throws {
    let path = try Self.model.get().spoiled { Self.scale($0, &$1) { 1 / $0 } }
    let found = try examined(path).findings
    #expect(found.map(\.check) == [.scaleConvention], "\(found)")
    // The same of folders, both ways.
    for (kind, from, to) in [
      (TinyCheckpoint.Kind.bitnetPacked, "\"autobitlinear\"", "\"bitlinear\""),
      (
        .llamaPacked, "\"quant_method\": \"bitnet\"",
        "\"quant_method\": \"bitnet\", \"linear_class\": \"autobitlinear\""
      ),
    ] {
      let folder = try TemporaryFolder("doctor")
      var small = TinyCheckpoint(kind)
      small.config = small.config.replacingOccurrences(of: from, with: to)
      try small.write(to: folder.file("m"))
      let found = try examined(folder.file("m")).findings
      #expect(found.map(\.check) == [.scaleConvention], "\(kind): \(found)")
    }
  }

  @Test(arguments: [1e-40, 0, .nan, .infinity] as [Float])
  func scalesThatAreNoneAreFound(value: Float) throws {
    let path = try Self.model.get().spoiled { info, bytes in
      if info.name == "blk.1.ffn_up.weight" { Self.scale(info, &bytes) { _ in value } }
    }
    let found = try examined(path).findings
    #expect(found.map(\.check) == [.scale], "\(found)")
    #expect(found.first?.place == "blk.1.ffn_up.weight")
  }

  // MARK: Order and nonlinearity

  /// The model with its codes in another order.
  private static func relaid(_ layout: I2SLayout) throws -> String {
    let path = try model.get().folder.file("\(layout.rawValue).gguf")
    try RelaidCodes.write(try model.get().path, as: layout, to: path)
    return path
  }

  private static func text(_ path: String) throws -> String {
    let engine = try Engine(
      checkpoint: try Checkpoint(path: path), options: EngineOptions(threads: 1, maxContext: 64))
    return try engine.generate(
      text: "Once upon a time", options: GenerationOptions(sampling: .greedy, maxTokens: 24)
    ).text
  }

  /// The advice is tried: read so, the file gives the healthy model's text, and what is exported
  /// from it is healthy for every reader.
  @Test(arguments: I2SLayout.allCases.dropFirst())
  func codesInAnotherOrderAreFound(layout: I2SLayout) throws {
    let path = try Self.relaid(layout)
    let found = try examined(path).findings
    #expect(found.map(\.check) == [.layout], "\(found)")
    let mend = try #require(found.first?.mend)
    #expect(mend.contains("run it with --i2s-layout \(layout.rawValue)"))
    #expect(mend.contains("trit export --i2s-layout \(layout.rawValue)"))
    let healthy = try Self.text(Self.model.get().path)
    #expect(try Self.text(path) != healthy)
    let folder = try TemporaryFolder("doctor")
    let mended = folder.file("mended.gguf")
    let told = try I2SLayout.$assumed.withValue(layout) {
      try GGUFExport(try Checkpoint(path: path), linear: .i2_s).write(to: mended)
      return try Self.text(path)
    }
    #expect(told == healthy)
    #expect(try Self.text(mended) == healthy)
    #expect(try checks(mended).isEmpty)
    #expect(found.first?.check.issues.contains("microsoft/BitNet#470") == true)
    // Without a run nobody can tell.
    #expect(try checks(path, runs: false).isEmpty)
  }

  @Test func anotherNonlinearityIsFound() throws {
    let path = try Self.model.get().copy { metadata in
      metadata = metadata.map { key, value in
        key == "general.architecture"
          ? (key, .string("bitnet"))
          : (key.replacingOccurrences(of: "bitnet-b1.58.", with: "bitnet."), value)
      }
    }
    let found = try examined(path).findings
    #expect(found.map(\.check) == [.activation], "\(found)")
    let folder = try TemporaryFolder("doctor")
    let source = try ModelLocation.resolve("builtin:storyteller")
    try FileManager.default.copyItem(atPath: source, toPath: folder.file("m"))
    let config = try String(contentsOfFile: folder.file("m/config.json"), encoding: .utf8)
    try config.replacingOccurrences(of: "\"relu2\"", with: "\"silu\"")
      .write(toFile: folder.file("m/config.json"), atomically: true, encoding: .utf8)
    let other = try examined(folder.file("m")).findings
    #expect(other.map(\.check) == [.activation], "\(other)")
  }

  // MARK: Tensors

  private func spoiled(_ name: String, _ change: (TensorInfo, inout [UInt8]) -> Void) throws
    -> String
  {
    try Self.model.get().spoiled { info, bytes in
      if info.name == name { change(info, &bytes) }
    }
  }

  @Test func damagedTensorsAreFound() throws {
    let norm = "blk.2.attn_norm.weight"
    let matrix = "blk.1.ffn_down.weight"
    func floats(_ value: Float) -> (TensorInfo, inout [UInt8]) -> Void {
      { _, bytes in withUnsafeBytes(of: value) { bytes.replaceSubrange(8..<12, with: $0) } }
    }
    func fill(_ byte: UInt8) -> (TensorInfo, inout [UInt8]) -> Void {
      { info, bytes in for index in 0..<info.count / 4 { bytes[index] = byte } }
    }
    for (name, change, check) in [
      (norm, floats(.nan), DoctorCheck.notFinite), (norm, floats(-.infinity), .notFinite),
      (norm, { _, bytes in bytes = bytes.map { _ in 0 } }, .zeros),
      (matrix, fill(0x55), .zeros), (matrix, fill(0xaa), .saturated),
      (matrix, fill(0x00), .saturated),
      (matrix, fill(0xff), .codes),
    ] as [(String, (TensorInfo, inout [UInt8]) -> Void, DoctorCheck)] {
      let found = try examined(spoiled(name, change)).findings
      #expect(found.map(\.check) == [check], "\(check): \(found)")
      #expect(found.first?.place == name)
    }
    // The end of a type of 16 bits.
    let path = try Self.model.get().spoiled { info, bytes in
      guard info.name == "token_embd.weight" else { return }
      // The greatest finite value of float16, or of bfloat16, little-endian.
      bytes.replaceSubrange(0..<2, with: info.type == .f16 ? [0xff, 0x7b] : [0x7f, 0x7f])
    }
    #expect(try checks(path, runs: false) == [.saturated])
  }

  @Test func aHeadBesideATiedOneIsFound() throws {
    let file = try GGUFFile(path: Self.model.get().path)
    let embedding = try #require(file.info("token_embd.weight"))
    var bytes = Array(try file.bytes(embedding.name))
    bytes.swapAt(0, 2)
    bytes.swapAt(1, 3)
    let path = try Self.model.get().copy(adding: [
      try TensorContent(
        name: "output.weight", type: embedding.type, shape: embedding.shape, bytes: bytes)
    ])
    #expect(try checks(path, runs: false) == [.tiedHead])
    // An equal one is no other head.
    let equal = try Self.model.get().copy(adding: [
      try TensorContent(
        name: "output.weight", type: embedding.type, shape: embedding.shape,
        bytes: Array(try file.bytes(embedding.name)))
    ])
    #expect(try checks(equal, runs: false).isEmpty)
    let folder = try TemporaryFolder("doctor")
    var small = TinyCheckpoint(.llamaDense)
    small.config = small.config.replacingOccurrences(
      of: "\"tie_word_embeddings\": false", with: "\"tie_word_embeddings\": true")
    try small.write(to: folder.file("m"))
    #expect(try checks(folder.file("m")) == [.tiedHead])
  }

  // MARK: Headers

  @Test func headersThatCannotBeAreFound() throws {
    #expect(
      try checks(with("bitnet-b1.58.context_length", .uint32(10_000_000)), runs: false)
        == [.context])
    #expect(try checks(with("prism.hadamard.version", .uint32(1)), runs: false) == [.hadamard])
    // A number of types whose layout does not fit the bytes.
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Self.model.get().path)))
    let name = Array("blk.0.attn_q.weight".utf8)
    let place = try #require(
      bytes.indices.first { bytes[$0...].starts(with: name) })
    // Behind the name: number of dimensions, two dimensions, type.
    let type = place + name.count + 4 + 16
    #expect(bytes[type] == 36)
    bytes[type] = 143
    let folder = try TemporaryFolder("doctor")
    let found = try examined(folder.write(bytes, to: "id.gguf")).findings
    #expect(found.map(\.check) == [.typeID], "\(found)")
    #expect(found.first?.check.issues.isEmpty == false)
    let half = try examined(folder.write(Array(bytes.prefix(bytes.count / 2)), to: "half.gguf"))
    #expect(half.findings.count == 1)
    #expect(throws: LabError.self) { try examined(folder.file("nothing.gguf")) }
  }
}

/// What another order must lose against the right one, in nats a token.
enum ModelDoctorMargin { static let least = 1.0 }
