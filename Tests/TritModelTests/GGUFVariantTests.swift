import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Ways in which GGUF files of the same model differ: matrices on top of each other, and the factors
/// of longrope as tensors.
@Suite("Variants of GGUF files") struct GGUFVariantTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("variants") }

  private func logits(_ path: String, context: Int = 16) throws -> [Float] {
    let engine = try Engine(
      checkpoint: try Checkpoint(path: path),
      selection: StageSelection(
        kernel: StageChoice("dequantize"), attention: StageChoice("naive")),
      options: EngineOptions(threads: 1, maxContext: context))
    var values: [Float] = []
    try engine.forEachLogits(of: [1, 17, 5, 33, 2, 60, 9, 9], from: 0) { values += Array($1) }
    return values
  }

  private func gguf(_ family: TinyFamily, _ type: TensorType = .f32) throws -> String {
    let source = try family.write(to: folder.file(UUID().uuidString))
    let path = folder.file(UUID().uuidString + ".gguf")
    try GGUFExport(
      try Checkpoint(path: source), linear: type,
      selection: StageSelection(quantizer: type == .i2_s ? StageChoice("absmean") : nil)
    ).write(to: path)
    return path
  }

  /// The file with other tensors: `change` drops or adds some.
  private func rewritten(
    _ path: String, _ keys: [(String, GGUFValue)] = [],
    _ change: (GGUFFile, inout [TensorContent]) throws -> Set<String>
  ) throws -> String {
    let file = try GGUFFile(path: path)
    var writer = GGUFWriter()
    for (key, value) in file.metadata { writer.set(key, value) }
    for (key, value) in keys { writer.set(key, value) }
    var added: [TensorContent] = []
    let dropped = try change(file, &added)
    for info in file.tensors where !dropped.contains(info.name) {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try file.bytes(info.name)))
    }
    for tensor in added { writer.add(tensor) }
    let copy = folder.file(UUID().uuidString + ".gguf")
    try writer.write(to: copy)
    return copy
  }

  /// The rows of `parts` on top of each other, as `name`.
  private func fused(
    _ path: String, _ fusions: [(name: String, parts: [String])], ends: [String] = ["weight"]
  ) throws -> String {
    try rewritten(path) { file, added in
      var dropped: Set<String> = []
      for layer in 0..<TinyFamily.layers {
        for (name, parts) in fusions {
          for end in ends {
            let infos = parts.compactMap { file.info("blk.\(layer).\($0).\(end)") }
            guard let first = infos.first else { continue }
            let rows = infos.reduce(0) { $0 + $1.shape[0] }
            added.append(
              try TensorContent(
                name: "blk.\(layer).\(name).\(end)", type: first.type,
                shape: [rows] + first.shape.dropFirst(),
                bytes: try infos.flatMap { Array(try file.bytes($0.name)) }))
            dropped.formUnion(infos.map(\.name))
          }
        }
      }
      return dropped
    }
  }

  // MARK: Matrices on top of each other

  /// llama.cpp's `attn_qkv`: the rows of q, of k, of v; biases too. `ffn_up` of twice the rows: the
  /// gate first.
  @Test(arguments: [TensorType.f32, .f16, .q8_0])
  func fusedMatricesAreTheirRows(type: TensorType) throws {
    let path = try gguf(TinyFamily.named("Qwen2ForCausalLM"), type)
    let plain = try logits(path)
    let attention = [("attn_qkv", ["attn_q", "attn_k", "attn_v"])]
    let forward = [("ffn_up", ["ffn_gate", "ffn_up"])]
    for fusions in [attention, forward, attention + forward] {
      let fused = try fused(path, fusions, ends: ["weight", "bias"])
      #expect(try GGUFFile(path: fused).info("blk.0.\(fusions[0].0).weight") != nil)
      #expect(try logits(fused) == plain, "\(fusions)")
    }
    // It can be exported again, parts apart.
    let fused = try fused(path, attention + forward, ends: ["weight", "bias"])
    let again = folder.file("again.gguf")
    try GGUFExport(try Checkpoint(path: fused), linear: type).write(to: again)
    #expect(try logits(again) == plain)
    #expect(try GGUFFile(path: again).info("blk.0.attn_q.weight") != nil)
  }

  @Test func fusedMatricesThatCannotBePartedAreRefusedByName() throws {
    let ternary = try gguf(TinyFamily.named("Qwen3ForCausalLM"), .f32)
    // One scale behind all codes: nobody can say whose rows.
    let i2s = try rewritten(ternary) { file, added in
      added.append(
        try TensorContent(
          name: "blk.0.attn_qkv.weight", type: .i2_s, shape: [128, 64],
          bytes: [UInt8](repeating: 0x55, count: 128 * 64 / 4 + 32)))
      return Set(["attn_q", "attn_k", "attn_v"].map { "blk.0.\($0).weight" })
    }
    let error = #expect(throws: LabError.self) { try Checkpoint(path: i2s) }
    #expect(error?.what.contains("'blk.0.attn_qkv.weight' of type I2_S") == true)
    let short = try rewritten(ternary) { _, added in
      added.append(
        try TensorContent(
          name: "blk.0.attn_qkv.weight", type: .f32, shape: [100, 64],
          bytes: [UInt8](repeating: 0, count: 100 * 64 * 4)))
      return Set(["attn_q", "attn_k", "attn_v"].map { "blk.0.\($0).weight" })
    }
    let rows = #expect(throws: LabError.self) { try Checkpoint(path: short) }
    #expect(rows?.what.contains("wrong shape") == true && rows?.got == "[100, 64]")
    let twice = try rewritten(ternary) { _, added in
      added.append(
        try TensorContent(
          name: "blk.0.attn_qkv.weight", type: .f32, shape: [128, 64],
          bytes: [UInt8](repeating: 0, count: 128 * 64 * 4)))
      return []
    }
    #expect(throws: LabError.self) { try Checkpoint(path: twice) }
  }

  // MARK: Longrope

  private static let short: [Float] = [1, 1.05, 1.1, 1.3, 1.7, 2.5, 4, 4.5]
  private static let long: [Float] = [1.1, 1.4, 2, 4, 9, 17, 30, 41.5]

  private static var longrope: TinyFamily {
    var family = TinyFamily.named("MiniCPMForCausalLM")
    func list(_ values: [Float]) -> String {
      "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
    }
    family.config +=
      #", "rope_scaling": {"rope_type": "longrope", "short_factor": \#(list(short)), "#
      + #""long_factor": \#(list(long)), "original_max_position_embeddings": 32}"#
    return family
  }

  /// The two lists go to `rope_factors_long` and `rope_factors_short`, the factor of cosines to
  /// `rope.scaling.attn_factor` (√(1 + ln 8 / ln 32): 256 positions of 32), and back to the folder.
  @Test func longropeGoesThroughFiles() throws {
    let source = try Self.longrope.write(to: folder.file("source"))
    let path = folder.file("m.gguf")
    try GGUFExport(try Checkpoint(path: source), linear: .f32).write(to: path)
    let file = try GGUFFile(path: path)
    #expect(try file.floats("rope_factors_long.weight").array == Self.long)
    #expect(try file.floats("rope_factors_short.weight").array == Self.short)
    #expect(file["minicpm.rope.scaling.type"] == .string("longrope"))
    #expect(file["minicpm.rope.scaling.original_context_length"] == .uint32(32))
    let factor = try #require(file["minicpm.rope.scaling.attn_factor"]?.double)
    #expect(abs(factor - (1 + log(8.0) / log(32.0)).squareRoot()) < 1e-6)
    // The short factors, and the long ones, which change what is computed.
    var seen: [[Float]] = []
    for context in [16, 64] {
      let (a, b) = (try logits(source, context: context), try logits(path, context: context))
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 })
      seen.append(b)
    }
    #expect(zip(seen[0], seen[1]).contains { abs($0 - $1) > 1e-3 })
    let back = folder.file("back")
    try HuggingFaceExport(try Checkpoint(path: path), form: .bfloat16).write(to: back)
    let config = try JSONReader.readFile(back + "/config.json")
    #expect(config["rope_scaling"]?["rope_type"] == "longrope")
    #expect(try logits(back, context: 64) == logits(source, context: 64))
    // As Phi-3's converter writes it: no type, the tensors alone.
    let untyped = try GGUFVariantTests.without("minicpm.rope.scaling.type", path, in: folder)
    #expect(try logits(untyped, context: 64) == logits(path, context: 64))
  }

  private static func without(_ key: String, _ path: String, in folder: TemporaryFolder) throws
    -> String
  {
    let file = try GGUFFile(path: path)
    var writer = GGUFWriter()
    for (name, value) in file.metadata where name != key { writer.set(name, value) }
    for info in file.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try file.bytes(info.name)))
    }
    let copy = folder.file(UUID().uuidString + ".gguf")
    try writer.write(to: copy)
    return copy
  }

  @Test func longropeWithoutItsFactorsIsRefused() throws {
    let path = try gguf(Self.longrope)
    let one = try rewritten(path) { _, _ in ["rope_factors_short.weight"] }
    let half = #expect(throws: LabError.self) { try Checkpoint(path: one) }
    #expect(half?.what == "the factors of longrope are not all there")
    let none = try rewritten(path) { _, _ in
      ["rope_factors_short.weight", "rope_factors_long.weight"]
    }
    #expect(throws: LabError.self) { try Checkpoint(path: none) }
    for values in [[Float](repeating: 1, count: 7), [Float](repeating: 0, count: 8)] {
      let wrong = try rewritten(path) { _, added in
        added.append(
          try TensorContent(
            name: "rope_factors_long.weight", type: .f32, shape: [values.count],
            floats: AlignedBuffer(values)))
        return ["rope_factors_long.weight"]
      }
      let error = #expect(throws: LabError.self) { try Checkpoint(path: wrong) }
      #expect(error?.place?.contains("rope_factors_long.weight") == true)
    }
    let other = try rewritten(path, [("minicpm.rope.scaling.type", .string("yarn"))]) { _, _ in [] }
    #expect(throws: LabError.self) { try Checkpoint(path: other) }
    // A block whose readers know no such tensors.
    var qwen = TinyFamily.named("Qwen3ForCausalLM")
    let place = try #require(Self.longrope.config.range(of: #", "rope_scaling""#))
    qwen.config += Self.longrope.config[place.lowerBound...]
    let error = #expect(throws: LabError.self) { try gguf(qwen) }
    #expect(error?.what.contains("two lists of longrope") == true)
  }

  /// YaRN with a factor of its own for cosines survives; a ramp between fractions of pairs, which
  /// GGUF cannot say, is refused.
  @Test func yarnIsComparedToo() throws {
    func family(_ more: String) -> TinyFamily {
      TinyFamily(
        architecture: "Qwen3ForCausalLM", type: "qwen3",
        config: #""head_dim": 16, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "#
          + #""original_max_position_embeddings": 64\#(more)}"#, headNorms: true)
    }
    let path = try gguf(family(#", "attention_factor": 1.25"#))
    let source = try family(#", "attention_factor": 1.25"#).write(to: folder.file("yarn"))
    let (a, b) = (try logits(path), try logits(source))
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 })
    let error = #expect(throws: LabError.self) { try gguf(family(#", "truncate": false"#)) }
    #expect(error?.what.contains("rotary frequency") == true)
  }

  /// llama.cpp scales the scores of the Gemma 3 of 62 layers by √(hidden / heads), as the model is
  /// configured (`query_pre_attn_scalar` 168 where heads have 128).
  @Test func gemmaOf62LayersHasItsOwnScale() throws {
    var family = TinyFamily.named("Gemma3ForCausalLM")
    let path = try gguf(family)
    #expect(try Checkpoint(path: path).configuration.attentionScale == nil)
    // Heads of 8 where hidden / heads is 16.
    let large = try rewritten(
      path,
      [
        ("gemma3.block_count", .uint32(62)), ("gemma3.attention.key_length", .uint32(8)),
        ("gemma3.attention.value_length", .uint32(8)), ("gemma3.rope.dimension_count", .uint32(8)),
        ("gemma3.attention.sliding_window_pattern", .uint32(6)),
      ]
    ) { _, _ in [] }
    let configuration = try ModelConfiguration(gguf: GGUFFile(path: large))
    #expect(configuration.attentionScale == 0.25)
    // A scalar that is not the head's is refused for other numbers of layers.
    family.config = family.config.replacingOccurrences(
      of: "\"query_pre_attn_scalar\": 16", with: "\"query_pre_attn_scalar\": 8")
    let error = #expect(throws: LabError.self) { try gguf(family) }
    #expect(error?.what.contains("another scale of scores") == true)
  }
}
