import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Training files: strict decoding, and a whole job from text to a model that generates.
@Suite struct TrainingFileTests {
  /// The folder `experiments/train` of the checkout.
  static let shipped = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("experiments/train").path

  @Test(arguments: ["storyteller", "storyteller-fp", "tiny", "tiny-fp"])
  func shippedFilesAreGood(name: String) throws {
    let file = try TrainingFile.read(path: "\(Self.shipped)/\(name).yaml")
    #expect(file.settings.name == name)
    #expect(file.output == "models/\(name)")
    #expect((file.settings.quantizer.name == "none") == name.hasSuffix("-fp"))
    guard case .trained(let vocabulary, _) = file.tokenizer else {
      Issue.record("the tokenizer is trained")
      return
    }
    let shape = try file.settings.shape.with(vocabulary: vocabulary)
    let sizes = shape.configuration
    for size in [
      sizes.hiddenSize, sizes.feedForwardSize, sizes.querySize, sizes.keyValueSize,
    ] {
      #expect(size.isMultiple(of: 128))
    }
    // Every story is read once at most.
    #expect(file.settings.schedule.steps * file.settings.tokensPerStep <= file.data.tokens)
  }

  @Test func everyProblemIsTold() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      """
      name: bad
      data: {train: builtin:storytellr/train, token: 5}
      model: {block: bitnet, hidden: 96, feed-forward: 0, layers: 2, heads: 5, context: 64}
      quantization: {quantizer: absmeen}
      optimisation: {steps: many, batch: 4, rate: 99, second-stage: {start: 0.5}}
      """, to: "bad.yaml")
    #expect {
      _ = try TrainingFile.read(path: path, overrides: ["seed=-1"])
    } throws: { error in
      guard let errors = error as? LabErrors else { return false }
      let text = errors.description
      let parts = [
        "tokenizer: missing", "bad.yaml:2:", "unknown data set", "data.token: unknown key",
        "model.feed-forward: bad value", "unknown quantizer 'absmeen'", "did you mean 'absmean'",
        "optimisation.steps: wrong type", "optimisation.rate: bad value",
        "optimisation.second-stage.rate: missing", "--set seed",
      ]
      for part in parts { #expect(text.contains(part), "\(part) in:\n\(text)") }
      return true
    }
    // Sizes that are legal one by one but do not fit each other.
    let shape = try folder.write(
      """
      name: bad
      data: {train: a.txt}
      tokenizer: {vocabulary: 300}
      model: {hidden: 96, feed-forward: 64, layers: 2, heads: 5, key-value-heads: 2, context: 64}
      optimisation: {steps: 10, batch: 4, rate: 0.001, length: 65}
      """, to: "shape.yaml")
    #expect {
      _ = try TrainingFile.read(path: shape)
    } throws: { error in
      let text = "\(error)"
      return text.contains("model.key-value-heads: bad value")
        && text.contains("model.heads: bad value")
        && text.contains("optimisation.length: bad value")
    }
  }

  @Test func aJobMakesAModelThatGenerates() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      String(repeating: "The cat sat on the mat. The dog ran to the cat. ", count: 200),
      to: "text.txt")
    let path = try folder.write(
      """
      name: cats and dogs
      data: {train: text.txt}
      tokenizer: {vocabulary: 300}
      model: {hidden: 128, feed-forward: 128, layers: 1, heads: 4, context: 64}
      optimisation: {steps: 60, batch: 4, length: 32, rate: 0.01, warmup: 5}
      validation: {every: 10}
      """, to: "train.yaml")
    var notes: [String] = []
    var checks = 0
    let job = TrainingJob(
      try TrainingFile.read(path: path), output: folder.file("model"), threads: 2)
    let outcome = try job.run {
      if case .validated = $0 { checks += 1 }
    } note: {
      notes.append($0)
    }
    #expect(outcome.steps == 60 && checks == 6)
    // Where there is no gnuplot, or no folder of templates, another note says so.
    #expect(!notes.contains { $0.hasPrefix("training/loss.gp") }, "\(notes)")
    let cannotDraw = notes.contains { $0.contains("not installed") || $0.contains("not found") }
    let isDrawn = FileManager.default.fileExists(atPath: folder.file("model/training/loss.svg"))
    #expect(isDrawn || cannotDraw, "\(notes)")
    // Two sentences: all but sure of the next token.
    #expect(outcome.validationLoss < 0.5, "\(outcome) \(notes)")
    for name in [
      "config.json", "generation_config.json", "tokenizer.json", "model.safetensors",
      "training/metrics.jsonl", "training/loss.tsv", "training/settings.json",
    ] {
      #expect(FileManager.default.fileExists(atPath: folder.file("model/" + name)), "\(name)")
    }
    let engine = try Engine(
      checkpoint: try Checkpoint(path: folder.file("model")), options: EngineOptions(threads: 1))
    var ids = try engine.tokenizer.encode("The cat sat", addSpecial: false, parseSpecial: false)
    for _ in 0..<8 {
      var best = 0
      try engine.forEachLogits(of: ids, from: ids.count - 1) { _, row in
        best = row.indices.max { row[$0] < row[$1] } ?? 0
      }
      ids.append(best)
    }
    #expect(try engine.tokenizer.decode(ids).hasPrefix("The cat sat on the mat."))
  }
}
