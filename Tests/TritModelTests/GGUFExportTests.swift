import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What is written as GGUF is the model that was loaded: logits, tokens, and what is told of the
/// rest.
@Suite("GGUF export") struct GGUFExportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("export") }

  private static func storyteller() throws -> Checkpoint {
    try Checkpoint(path: try ModelLocation.resolve("builtin:storyteller"))
  }

  /// Logits after each of a few tokens; the reference kernel where `auto` would only cost time.
  private func logits(_ checkpoint: Checkpoint) throws -> [Float] {
    let engine = try Engine(
      checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice("dequantize")),
      options: EngineOptions(threads: 1, maxContext: 16))
    var values: [Float] = []
    let tokens = [1, 17, 5, 33, 2, 60].map { $0 % engine.vocabularySize }
    try engine.forEachLogits(of: tokens, from: 0) { _, row in values += Array(row) }
    return values
  }

  private func export(
    _ checkpoint: Checkpoint, _ type: TensorType, _ change: (inout GGUFExport) -> Void = { _ in }
  ) throws -> (Checkpoint, GGUFExport.Summary) {
    let path = folder.file("model-\(type.name).gguf")
    var export = GGUFExport(checkpoint, linear: type)
    change(&export)
    let summary = try export.write(to: path)
    return (try Checkpoint(path: path), summary)
  }

  @Test(
    "types that hold trits and scales exactly give the same bits",
    arguments: [
      TensorType.i2_s, .tl1, .tl2, .tq1_0, .tq2_0, .q2_0, .pq2_0, .ptq1_0, .f16, .bf16, .f32,
    ])
  func exactTypes(type: TensorType) throws {
    let model = try Self.storyteller()
    let (copy, summary) = try export(model, type)
    #expect(try logits(copy) == logits(model))
    #expect(summary.notes.isEmpty, "\(summary.notes)")
    #expect(summary.architecture == "bitnet-b1.58")
    // The masters are bfloat16, and so is the embedding, unasked.
    #expect(copy.source.info("token_embd.weight")?.type == .bf16)
    #expect(copy.source.info("blk.3.ffn_down.weight")?.type == type)
  }

  @Test("tokens are the same, of awkward texts too")
  func tokens() throws {
    let model = try Self.storyteller()
    let (copy, _) = try export(model, .i2_s)
    let (before, after) = (try model.tokenizer(), try copy.tokenizer())
    for text in awkwardTexts {
      for parses in [false, true] {
        #expect(
          try before.encode(text, addSpecial: true, parseSpecial: parses)
            == after.encode(text, addSpecial: true, parseSpecial: parses),
          "\(text.debugDescription)")
      }
    }
    #expect(before.endOfGeneration == after.endOfGeneration && before.bos == after.bos)
  }

  @Test("every form of checkpoint", arguments: TinyCheckpoint.Kind.allCases)
  func kinds(kind: TinyCheckpoint.Kind) throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(kind, in: folder))
    let (copy, summary) = try export(model, kind == .llamaDense ? .f32 : .i2_s)
    let (before, after) = (try logits(model), try logits(copy))
    if summary.architecture == "llama" {
      // Permuted heads: the same products in another order; int8 rounding may flip on that.
      let worst = zip(before, after).map { abs($0 - $1) }.max() ?? 0
      #expect(worst < (kind == .llamaDense ? 1e-4 : 0.1), "\(worst)")
      #expect(summary.notes.contains { $0.contains("permuted") })
    } else {
      #expect(before == after)
    }
    guard case .ternary(let source) = try model.linear(.gate, layer: 1).weights,
      case .ternary(let written) = try copy.linear(.gate, layer: 1).weights
    else { return }
    #expect(
      source.scales == written.scales && source.trits.buffer.elementsEqual(written.trits.buffer))
  }

  @Test("rows of q stand where architecture llama wants them")
  func permutation() throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    let (copy, _) = try export(model, .f32)
    guard case .dense(let source) = try model.linear(.query, layer: 0).weights,
      case .dense(let written) = try copy.linear(.query, layer: 0).weights
    else {
      Issue.record("not dense")
      return
    }
    let half = model.configuration.headDimension / 2
    for (row, from) in [(0, 0), (1, half), (2, 1), (3, half + 1), (2 * half, 2 * half)] {
      #expect(written.view.row(row).elementsEqual(source.view.row(from)), "\(row)")
    }
  }

  @Test("a GGUF file written again is the same model with the same tokenizer keys")
  func again() throws {
    let (first, _) = try export(try Self.storyteller(), .i2_s)
    let (second, summary) = try export(first, .tq2_0)
    #expect(try logits(first) == logits(second))
    #expect(summary.architecture == "bitnet-b1.58")
    let (before, after) = (try GGUFFile(path: first.path), try GGUFFile(path: second.path))
    for (key, value) in before.metadata where key.hasPrefix("tokenizer.") {
      #expect(after[key] == value, "\(key)")
    }
  }

  @Test("what a narrower embedding changes is counted")
  func narrowEmbedding() throws {
    let model = try Self.storyteller()
    let (copy, summary) = try export(model, .i2_s) { $0.embedding = .f16 }
    let before = try model.source.floats("model.embed_tokens.weight")
    let after = try copy.source.floats("token_embd.weight")
    let changed = withExtendedLifetime((before, after)) {
      zip(before.buffer, after.buffer).count { $0 != $1 }
    }
    // bfloat16 has a wider exponent than float16 and fewer digits: only the smallest values change.
    #expect(changed > 0 && changed < before.count / 1000)
    #expect(
      summary.notes.contains { $0.contains("\(changed) of \(before.count) values") },
      "\(summary.notes)")
  }

  @Test("group scales do not fit I2_S, and TQ2_0 says how much it rounds")
  func scales() throws {
    let model = try Self.storyteller()
    let grouped = StageSelection(quantizer: try StageChoice(parsing: "absmean:group=256"))
    let error = #expect(throws: LabError.self) {
      try export(model, .i2_s) { $0.selection = grouped }
    }
    #expect(error?.kind == .usage && error?.what.contains("one scale a tensor") == true)
    #expect(error?.place?.contains("blk.0.attn_q") == true)
    let (_, summary) = try export(model, .tq2_0) { $0.selection = grouped }
    #expect(summary.notes.contains { $0.contains("rounded to float16") })
  }

  @Test("what cannot be written says why and leaves nothing behind")
  func refusals() throws {
    let dense = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    let before = try folder.names()
    func refused(_ checkpoint: Checkpoint, _ type: TensorType, _ words: String) {
      let error = #expect(throws: LabError.self) { try export(checkpoint, type) }
      #expect(error?.what.contains(words) == true, "\(error?.what ?? "")")
      #expect(error?.advice != nil)
    }
    refused(dense, .i2_s, "holds trits")
    // 128 columns.
    refused(dense, .tq2_0, "multiples of 256")
    #expect(try folder.names() == before)
    #expect(throws: LabError.self) {
      try GGUFExport(dense, linear: .f16).write(to: folder.file("no/such/folder/model.gguf"))
    }
    #expect(throws: LabError.self) { try export(dense, .f16) { $0.embedding = .i2_s } }
  }

  @Test("full precision becomes ternary after training where asked")
  func afterTraining() throws {
    let dense = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    let absmean = StageSelection(quantizer: StageChoice("absmean"))
    let (copy, _) = try export(dense, .i2_s) { $0.selection = absmean }
    guard case .ternary(let matrix) = try copy.linear(.up, layer: 0).weights else {
      Issue.record("not ternary")
      return
    }
    let resolved = try LayerResolver(checkpoint: dense, selection: absmean)
      .resolve(.up, layer: 0).weights
    guard case .ternary(let wanted) = resolved else { return }
    #expect(
      matrix.scales == wanted.scales && matrix.trits.buffer.elementsEqual(wanted.trits.buffer))
  }

  @Test("norms inside linears become block norms and sub-norms")
  func innerNorms() throws {
    guard let path = SharedData.path("models/bitstories-3M") else { return }
    let (copy, summary) = try export(try Checkpoint(path: path), .i2_s)
    #expect(summary.architecture == "bitnet" && summary.notes.count == 1)
    // The file that bitnet.cpp was measured with holds the same bytes in every ternary tensor.
    let theirs = try GGUFFile(path: path + "/bitstories-3M-i2_s.gguf")
    for info in theirs.tensors where info.type == .i2_s {
      let (ours, truth) = (try copy.source.bytes(info.name), try theirs.bytes(info.name))
      #expect(
        ours.prefix(ours.count - 28).elementsEqual(truth.prefix(truth.count - 28)), "\(info.name)")
    }
    let gains = try #require(SharedData.path("golden/llama-autobitlinear-rmsnorm"))
    let error = #expect(throws: LabError.self) {
      try export(try Checkpoint(path: gains), .i2_s)
    }
    #expect(error?.what.contains("no place for norms inside linears") == true)
  }

  @Test("stretched rotary frequencies go into rope_freqs.weight")
  func ropeFactors() throws {
    guard let path = SharedData.path("golden/llama-bitlinear-packed") else { return }
    let model = try Checkpoint(path: path)
    let (copy, summary) = try export(model, .i2_s)
    #expect(copy.source.info("rope_freqs.weight")?.count == model.configuration.headDimension / 2)
    #expect(summary.notes.contains { $0.contains("no tokenizer") })
    let worst = zip(try logits(model), try logits(copy)).map { abs($0 - $1) }.max() ?? 0
    #expect(worst < 0.1, "\(worst)")
  }
}

/// What a file cannot hold is not written: every export is read back before it has a name.
@Suite("GGUF export: read back") struct ExportReadBackTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("read-back") }

  /// A dense tiny model with one value changed.
  private func model(_ tensor: String, _ value: Float, kind: TinyCheckpoint.Kind = .llamaDense)
    throws -> Checkpoint
  {
    var tiny = TinyCheckpoint(kind)
    let index = try #require(tiny.tensors.firstIndex { $0.name == tensor })
    withUnsafeBytes(of: value.bitPattern.littleEndian) {
      tiny.tensors[index].bytes.replaceSubrange((4 * 130)..<(4 * 131), with: $0)
    }
    let path = folder.file(UUID().uuidString)
    try tiny.write(to: path)
    return try Checkpoint(path: path)
  }

  private func refusal(
    _ checkpoint: Checkpoint, _ type: TensorType, _ change: (inout GGUFExport) -> Void = { _ in }
  ) throws -> LabError? {
    var export = GGUFExport(checkpoint, linear: type)
    change(&export)
    let before = try folder.names()
    let path = folder.file("out.gguf")
    do {
      try export.write(to: path)
      try FileManager.default.removeItem(atPath: path)
      return nil
    } catch let error as LabError {
      #expect(try folder.names() == before, "something was left behind")
      return error
    }
  }

  /// The largest finite numbers: IEEE 754 binary16 65504, halfway to the next 65520; bfloat16
  /// 0x7F7F and 0x7F7F8000.
  @Test(
    "a value beyond a type is refused with its place and a type that takes it; one below is written",
    arguments: [
      (TensorType.f16, Float(65_520), Float(65_519)),
      (.bf16, Float(bitPattern: 0x7f7f_8000), Float(bitPattern: 0x7f7f_7fff)),
      (.q8_0, 8_400_000, 8_300_000), (.q4_0, -530_000, -520_000),
    ])
  func tooLarge(type: TensorType, beyond: Float, below: Float) throws {
    let linear = "model.layers.1.mlp.up_proj.weight"
    let error = try refusal(try model(linear, beyond), type)
    #expect(error?.kind == .badData && error?.what.contains("too large") == true, "\(error as Any)")
    #expect(error?.place?.contains("blk.1.ffn_up") == true)
    #expect(error?.advice?.contains("--type") == true && error?.advice?.contains("f32") == true)
    if type == .f16 || type == .bf16 { #expect(error?.place?.contains("row 1, column 2") == true) }
    #expect(try refusal(try model(linear, beyond), .f32) == nil)
    #expect(try refusal(try model(linear, below), type) == nil)
    let embedding = try refusal(try model("model.embed_tokens.weight", beyond), .f32) {
      $0.embedding = type
    }
    #expect(embedding?.place?.contains("token_embd.weight") == true)
    #expect(embedding?.advice?.contains("--embedding") == true)
  }

  @Test("a value that is not finite is refused in every tensor", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) throws {
    for tensor in [
      "model.embed_tokens.weight", "lm_head.weight", "model.layers.0.self_attn.o_proj.weight",
    ] {
      for type in [TensorType.f32, .f16, .q8_0] {
        let error = try refusal(try model(tensor, value), type) { $0.embedding = type }
        #expect(
          error?.kind == .badData && error?.what.contains("finite") == true, "\(tensor) \(type)")
        #expect(error?.advice != nil)
      }
    }
  }

  @Test("a scale that float16 flushes to zero or infinity is refused, and one it holds is written")
  func scales() throws {
    // Masters of one size are trits of that scale. 256 columns, as TQ2_0 wants.
    func model(_ size: Float) throws -> Checkpoint {
      var tiny = TinyCheckpoint(.llamaDense)
      for index in tiny.tensors.indices where tiny.tensors[index].name.hasSuffix("_proj.weight") {
        let count = tiny.tensors[index].shape.reduce(1, *)
        let floats = (0..<count).map { Float($0 % 3 - 1) * size }
        tiny.tensors[index] = TinyCheckpoint.Tensor(
          tiny.tensors[index].name, shape: tiny.tensors[index].shape, floats: floats)
      }
      let path = folder.file(UUID().uuidString)
      try tiny.write(to: path)
      return try Checkpoint(path: path)
    }
    let packing = TQ2Packing()
    for (scale, fits) in [(Float(1e-9), false), (1e-3, true), (6e4, true), (1e6, false)] {
      #expect((packing.storedScale(scale).isFinite && packing.storedScale(scale) > 0) == fits)
    }
    // float16 as a type of the layers: everything becomes zero, an error as large as the weights.
    let error = try refusal(try model(1e-9), .f16)
    #expect(error?.what.contains("does not survive as F16") == true, "\(error as Any)")
    #expect(error?.advice?.contains("bf16") == true)
    #expect(try refusal(try model(1e-9), .bf16) == nil)
    #expect(try refusal(try model(1e-3), .f16) == nil)
  }

  @Test("every type stays within its bound on values of very different sizes", arguments: 0..<6)
  func bounds(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for type in GGUFExport.denseTypes where FloatEncoding.types.contains(type) {
      let values = AlignedBuffer<Float>(count: 4096)
      // Blocks of 256 from 1e-4 to 10, signs and outliers at random.
      for index in 0..<values.count {
        let size = pow(10, Float(Int((seed + UInt64(index / 256)) % 6)) - 4)
        let outlier: Float = random.uniform() < 0.01 ? 8 : 1
        values.base[index] = Float(random.uniform() * 2 - 1) * size * outlier
      }
      let bytes = try FloatEncoding.encode(values, as: type)
      let back = AlignedBuffer<Float>(count: values.count)
      _ = try bytes.withUnsafeBytes {
        try FloatDecoding.decode($0, as: type, to: back.mutableBuffer)
      }
      var comparison = ExportCheck.Comparison()
      withExtendedLifetime((values, back)) { comparison.add(values.buffer, back.buffer) }
      #expect(comparison.relative <= ExportCheck.bound(type), "\(type.name) \(comparison.relative)")
      #expect(type == .f32 || comparison.relative > 0, "\(type.name)")
    }
  }

  @Test("trits are refused where the codes of a type do not hold them, with types that do")
  func ternaryInFewBits() throws {
    let storyteller = try Checkpoint(path: try ModelLocation.resolve("builtin:storyteller"))
    for type in [TensorType.q4_0, .q6_k] {
      let error = try refusal(storyteller, type)
      #expect(error?.what.contains("does not survive as \(type.name)") == true)
      #expect(error?.advice?.contains("i2_s, tq2_0 or f16") == true)
    }
  }

  @Test("notes say who reads the file, and numbers in them are numbers")
  func notes() throws {
    let storyteller = try Checkpoint(path: try ModelLocation.resolve("builtin:storyteller"))
    let path = folder.file("notes.gguf")
    let summary = try GGUFExport(storyteller, linear: .i2_s).write(to: path)
    #expect(summary.readers.contains { $0.contains("mainline llama.cpp has only 'bitnet'") })
    #expect(summary.readers.contains { $0.contains("36") && $0.contains("gguf-py") })
    #expect(GGUFExport.readers("llama", .f16).isEmpty)
    #expect(GGUFExport.readers("bitnet", .tl1).contains { $0.contains("38") })
    #expect(GGUFExport.readers("bitnet", .tl2).contains { $0.contains("MXFP4") })
    #expect(ExportCheck.short(0.000_488) == "4.9e-04" && ExportCheck.short(12.34) == "1.2e+01")
  }
}
