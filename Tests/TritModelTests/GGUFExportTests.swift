import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What is written as GGUF is the model that was loaded: logits, tokens, and what is told of the rest.
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
    arguments: [TensorType.i2_s, .tl1, .tl2, .tq1_0, .tq2_0, .f16, .bf16, .f32])
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
