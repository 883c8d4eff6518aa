import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Folders for transformers hold the model that was loaded.
@Suite("Hugging Face export") struct HuggingFaceExportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("hf-export") }

  private static func storyteller() throws -> Checkpoint {
    try Checkpoint(path: try ModelLocation.resolve("builtin:storyteller"))
  }

  private func logits(_ checkpoint: Checkpoint) throws -> [Float] {
    let engine = try Engine(
      checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice("dequantize")),
      options: EngineOptions(threads: 1, maxContext: 16))
    var values: [Float] = []
    let tokens = [1, 17, 5, 33, 2, 60].map { $0 % engine.vocabularySize }
    try engine.forEachLogits(of: tokens, from: 0) { _, row in values += Array(row) }
    return values
  }

  /// Packed uint8 `[⌈rows / 4⌉, columns]` with a scale that multiplies, as transformers'
  /// `AutoBitLinear` wants it, and back to the same logits.
  @Test func packedFoldersAreTheModel() throws {
    let model = try Self.storyteller()
    let path = folder.file("packed")
    let summary = try HuggingFaceExport(model, form: .packed).write(to: path)
    let copy = try Checkpoint(path: path)
    #expect(try logits(copy) == logits(model))
    let configuration = try JSONReader.readFile(path + "/config.json")
    let quantization = configuration["quantization_config"]
    #expect(quantization?["quantization_mode"]?.string == "offline")
    #expect(quantization?["linear_class"]?.string == "autobitlinear")
    let name = "model.layers.0.mlp.gate_proj.weight"
    let (rows, columns) = LinearRole.gate.shape(model.configuration)
    let info = try #require(copy.source.info(name))
    #expect(info.type == .u8 && info.shape == [(rows + 3) / 4, columns])
    #expect(try copy.tokenizer().vocabularySize == model.tokenizer().vocabularySize)
    #expect(summary.notes.isEmpty, "\(summary.notes)")
    // Nothing is overwritten, and nothing is left behind.
    let again = #expect(throws: LabError.self) {
      try HuggingFaceExport(model, form: .packed).write(to: path)
    }
    #expect(again?.kind == .cannotCreate)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names == ["packed"])
  }

  @Test func mastersStayMasters() throws {
    let model = try Self.storyteller()
    let path = folder.file("masters")
    try HuggingFaceExport(model, form: .bfloat16).write(to: path)
    let copy = try Checkpoint(path: path)
    #expect(copy.configuration == model.configuration)
    for info in model.source.tensors {
      let (a, b) = (try model.source.floats(info.name), try copy.source.floats(info.name))
      #expect(withExtendedLifetime((a, b)) { a.buffer.elementsEqual(b.buffer) }, "\(info.name)")
    }
  }

  /// From a GGUF file back: names, configuration, and rows of q and k in half-split pairs.
  @Test(arguments: [TinyCheckpoint.Kind.llamaPacked, .bitnetOnline])
  func filesOfGGUFBecomeFolders(kind: TinyCheckpoint.Kind) throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(kind, in: folder))
    let file = folder.file("m.gguf")
    try GGUFExport(model, linear: .i2_s).write(to: file)
    let path = folder.file("folder")
    let summary = try HuggingFaceExport(try Checkpoint(path: file), form: .packed).write(to: path)
    let copy = try Checkpoint(path: path)
    for layer in 0..<model.configuration.layers {
      for role in LinearRole.allCases {
        let resolver = { try LayerResolver(checkpoint: $0, selection: StageSelection()) }
        guard
          case .ternary(let a) = try resolver(model).resolve(role, layer: layer).weights,
          case .ternary(let b) = try resolver(copy).resolve(role, layer: layer).weights
        else {
          Issue.record("not ternary")
          return
        }
        #expect(a.scales == b.scales, "\(role)")
        #expect(
          withExtendedLifetime((a, b)) { a.trits.buffer.elementsEqual(b.trits.buffer) }, "\(role)")
      }
    }
    #expect(try logits(copy) == logits(model))
    #expect(summary.architecture == model.configuration.architecture)
  }

  /// Group scales have no place in packed layers, and trits are no masters.
  @Test func formsThatDoNotFitAreRefused() throws {
    let model = try Self.storyteller()
    let grouped = StageSelection(quantizer: try StageChoice(parsing: "absmean:group=64"))
    let error = #expect(throws: LabError.self) {
      try HuggingFaceExport(model, form: .packed, selection: grouped).write(to: folder.file("x"))
    }
    #expect(
      error?.what == "packed layers have one scale a tensor"
        && error?.place?.hasPrefix("blk.") == true)
    try HuggingFaceExport(model, form: .packed).write(to: folder.file("packed"))
    let packed = try Checkpoint(path: folder.file("packed"))
    let masters = #expect(throws: LabError.self) {
      try HuggingFaceExport(packed, form: .bfloat16).write(to: folder.file("y"))
    }
    #expect(masters?.what == "the checkpoint holds trits, not masters")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names == ["packed"])
  }
}
