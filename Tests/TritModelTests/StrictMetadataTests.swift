import Foundation
import Testing
import TritLab
import _TritTestSupport

/// The same of the metadata of GGUF files.
@Suite("GGUF metadata, read strictly") struct StrictMetadataTests {
  let folder: TemporaryFolder
  let original: GGUFFile

  init() throws {
    folder = try TemporaryFolder("metadata")
    let tiny = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    let path = folder.file("original.gguf")
    try GGUFExport(tiny, linear: .f32).write(to: path)
    original = try GGUFFile(path: path)
  }

  /// The file with other values for some keys of `prefix` (nil removes one).
  func write(_ changes: [String: GGUFValue?], of prefix: String = "llama.") throws -> String {
    var writer = GGUFWriter()
    let changed = Set(changes.keys.map { prefix + $0 })
    for (key, value) in original.metadata where !changed.contains(key) { writer.set(key, value) }
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) {
      if let value { writer.set(prefix + key, value) }
    }
    for info in original.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try original.bytes(info.name))
      )
    }
    let path = folder.file(UUID().uuidString + ".gguf")
    try writer.write(to: path)
    return path
  }

  func logits(_ path: String) throws -> [Float] {
    let engine = try Engine(
      checkpoint: try Checkpoint(path: path),
      selection: StageSelection(kernel: StageChoice("dequantize")),
      options: EngineOptions(threads: 1, maxContext: 16))
    var values: [Float] = []
    try engine.forEachLogits(of: [1, 17, 5, 33, 2, 9], from: 0) { _, row in values += Array(row) }
    return values
  }

  @Test("a factor without a type, and the old name, scale linearly as llama.cpp does")
  func linearScaling() throws {
    let plain = try logits(original.path)
    let linear = try logits(
      try write(["rope.scaling.type": .string("linear"), "rope.scaling.factor": .float32(4)]))
    #expect(linear != plain)
    for changes: [String: GGUFValue?] in [
      ["rope.scaling.factor": .float32(4)], ["rope.scale_linear": .float32(4)],
      ["rope.scaling.factor": .uint32(4), "rope.scale_linear": .float32(4)],
    ] {
      #expect(try logits(try write(changes)) == linear, "\(changes)")
    }
    for changes: [String: GGUFValue?] in [
      ["rope.scaling.type": .string("none"), "rope.scaling.factor": .float32(4)],
      ["rope.scaling.factor": .float32(0)], ["rope.scale_linear": .float32(1)],
    ] {
      #expect(try logits(try write(changes)) == plain, "\(changes)")
    }
  }

  @Test("lists of one number for every block are that number")
  func lists() throws {
    let plain = try logits(original.path)
    let heads = original["llama.attention.head_count"]?.integer ?? 0
    let pairs = original["llama.attention.head_count_kv"]?.integer ?? 0
    let wide = original["llama.feed_forward_length"]?.integer ?? 0
    func list(_ number: Int) -> GGUFValue { .array(.int32([Int32(number), Int32(number)])) }
    #expect(
      try logits(
        try write([
          "attention.head_count": list(heads), "attention.head_count_kv": list(pairs),
          "feed_forward_length": list(wide),
        ])) == plain)
    let error = #expect(throws: LabError.self) {
      try Checkpoint(
        path: write(["attention.head_count_kv": .array(.int32([Int32(pairs), Int32(pairs * 2)]))]))
    }
    #expect(
      error?.place?.contains("head_count_kv") == true && error?.got == "\(pairs), \(pairs * 2)")
  }

  @Test(
    "a wrong type, an absent key that must be there, or what the lab does not compute, names the key",
    arguments: [
      ("rope.freq_base", GGUFValue.string("10000")), ("rope.freq_base", .float32(-1)),
      ("attention.layer_norm_rms_epsilon", .string("1e-5")),
      ("attention.layer_norm_rms_epsilon", nil), ("context_length", nil),
      ("rope.scaling.type", .string("yarn")), ("rope.scaling.type", .uint32(1)),
      ("rope.scaling.factor", .string("4")), ("rope.scale_linear", .float32(-2)),
      ("attention.head_count_kv", .array(.int32([]))), ("attention.head_count", .float32(4)),
      ("attention.key_length", .string("32")), ("attention.value_length", .uint32(16)),
      ("vocab_size", .uint32(7)), ("attention.sliding_window", .uint32(16)),
      ("attn_logit_softcapping", .float32(50)), ("logit_scale", .float32(0.5)),
      ("expert_count", .uint32(8)), ("attention.clamp_kqv", .float32(8)),
      ("rope.dimension_sections", .array(.int32([16, 8, 8, 0]))),
      ("attention.causal", .bool(false)),
      ("rope.dimension_count", .uint32(3)), ("block_count", .uint32(0)),
      ("embedding_length", .uint64(.max)), ("prism.hadamard.size", .uint32(128)),
    ] as [(String, GGUFValue?)])
  func refused(key: String, value: GGUFValue?) throws {
    let error = #expect(throws: LabError.self, "\(key)") {
      try Checkpoint(path: write([key: value]))
    }
    #expect(error?.kind == .badData)
    let last = key.split(separator: ".").last.map(String.init) ?? key
    #expect(
      error?.place?.contains(last) == true || error?.what.contains("rotary") == true
        || error?.what.contains("shape") == true, "\(error as Any)")
  }

  @Test(
    "−1 and the largest uint32 are no token, as converters write it; another id out of the rows is refused",
    arguments: ["bos_token_id", "eos_token_id"])
  func noToken(key: String) throws {
    func configuration(_ value: GGUFValue) throws -> ModelConfiguration {
      try Checkpoint(path: write([key: value], of: "tokenizer.ggml.")).configuration
    }
    func token(_ configuration: ModelConfiguration) -> Int? {
      key == "bos_token_id" ? configuration.bosToken : configuration.eosTokens.first
    }
    for none: GGUFValue in [.uint32(.max), .int32(-1), .int64(-1)] {
      #expect(token(try configuration(none)) == nil, "\(none)")
    }
    #expect(token(try configuration(.uint32(3))) == 3)
    let rows = try Checkpoint(path: original.path).configuration.vocabularySize
    for value: GGUFValue in [.int32(-2), .uint32(UInt32(rows)), .string("3")] {
      let error = #expect(throws: LabError.self, "\(value)") { try configuration(value) }
      #expect(error?.kind == .badData && error?.place?.hasSuffix("tokenizer.ggml.\(key)") == true)
    }
  }

  /// Every hyper-parameter through every type and extreme: an error or a model, never a trap.
  @Test("no value of any key traps")
  func hostile() throws {
    let values: [GGUFValue] = [
      .uint8(0), .int8(-1), .uint32(1), .uint32(2), .uint32(3), .uint32(.max), .int64(.min),
      .uint64(.max), .float32(.nan), .float32(.infinity), .float64(-0.0), .float64(1e300),
      .bool(true),
      .string(""), .array(.uint32([])), .array(.uint64([.max])), .array(.string(["a"])),
      .array(.int32([Int32.min, 1])),
    ]
    let keys =
      original.metadata.map(\.key).filter { $0.hasPrefix("llama.") }
      .map { String($0.dropFirst(6)) } + ["rope.scaling.factor", "rope.scaling.type", "vocab_size"]
    var opened = 0
    for key in keys {
      for value in values {
        do {
          let model = try Checkpoint(path: try write([key: value]))
          _ = try Engine(
            checkpoint: model, selection: StageSelection(kernel: StageChoice("dequantize")),
            options: EngineOptions(threads: 1, maxContext: 4))
          opened += 1
        } catch is LabError {}
      }
    }
    // Some are harmless: a context of 3, an epsilon of 1, no scaling.
    #expect(opened > 0 && opened < keys.count * values.count / 2)
  }

  @Test("a head of one element is an error, in the file that trapped too")
  func headOfOne() throws {
    guard let path = SharedData.path("cases/gguf-headdim1.gguf") else { return }
    let error = #expect(throws: LabError.self) { try Checkpoint(path: path) }
    #expect(error?.kind == .badData)
  }
}
