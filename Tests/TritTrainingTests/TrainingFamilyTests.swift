import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Models of families, configurations and checkpoints: what a training file can say of them, and
/// that the engine runs what was trained.
@Suite struct TrainingFamilyTests {
  private static func file(_ model: String, _ more: String = "tokenizer: {vocabulary: 300}")
    -> String
  {
    """
    name: tuned
    data: {train: text.txt}
    \(more)
    model: \(model)
    optimisation: {steps: 30, batch: 4, length: 32, rate: 0.01, warmup: 5}
    validation: {every: 0}
    """
  }

  private static func folder(_ training: String) throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder("family")
    let sentence = "The cat sat on the mat. The dog ran to the cat. "
    try folder.write(String(repeating: sentence, count: 200), to: "text.txt")
    return (folder, try folder.write(training, to: "train.yaml"))
  }

  private static func run(_ path: String, _ output: String, _ overrides: [String] = []) throws
    -> (TrainingOutcome, first: Double)
  {
    var first = Double.nan
    let job = TrainingJob(
      try TrainingFile.read(path: path, overrides: overrides), output: output, threads: 2)
    let outcome = try job.run { event in
      if case .step(let record, _, _) = event, record.step == 1 { first = record.loss }
    } note: { _ in
    }
    return (outcome, first)
  }

  /// From the file to text: every family learns two sentences, and its folder generates them.
  @Test(arguments: ["qwen3", "gemma3", "minicpm"]) func aFamilyIsTrainedAndGenerates(
    family: String
  ) throws {
    let (folder, path) = try Self.folder(
      Self.file(
        "{family: \(family), hidden: 64, feed-forward: 128, layers: 2, heads: 4, context: 64}"))
    let (outcome, _) = try Self.run(path, folder.file("model"), ["optimisation.steps=80"])
    #expect(outcome.validationLoss < 1, "\(outcome)")
    let engine = try Engine(
      checkpoint: try Checkpoint(path: folder.file("model")), options: EngineOptions(threads: 1))
    let text = try engine.generate(
      text: "The cat sat", options: GenerationOptions(sampling: .greedy, maxTokens: 8)
    ).text
    #expect(text.hasPrefix(" on the mat."), "\(text)")
  }

  /// A checkpoint goes on where it was: the first loss is that of its masters, not of random ones;
  /// its tokens stay, and so does its configuration.
  @Test func aCheckpointIsTrainedOn() throws {
    let (folder, path) = try Self.folder(
      Self.file(
        "{family: qwen3, hidden: 64, feed-forward: 128, layers: 2, heads: 4, key-value-heads: 2, context: 64}"
      ))
    let (before, first) = try Self.run(path, folder.file("model"))
    #expect(first > 5)  // ln 300
    // No `tokenizer`: the checkpoint has one.
    let tune = try folder.write(Self.file("{checkpoint: model}", ""), to: "tune.yaml")
    let (_, again) = try Self.run(
      tune, folder.file("tuned"), ["optimisation.rate=0.0001", "optimisation.warmup=0"])
    // Masters are stored as bfloat16; the batch is another one.
    #expect(abs(again - before.validationLoss) < 0.5 && again < 4, "\(again), \(before)")
    for name in ["config.json", "generation_config.json", "tokenizer.json"] {
      #expect(
        FileManager.default.contentsEqual(
          atPath: folder.file("model/" + name), andPath: folder.file("tuned/" + name)), "\(name)")
    }
    let shapes = try ["model", "tuned"].map {
      try ModelShape(Checkpoint(path: folder.file($0)))
    }
    #expect(shapes[0] == shapes[1])
  }

  /// A whole `config.json`, but for the vocabulary, which is the tokenizer's.
  @Test func aConfigurationIsTrained() throws {
    let (folder, path) = try Self.folder(Self.file("{config: config.json}"))
    try folder.write(
      """
      {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 32,
       "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
       "num_key_value_heads": 2, "vocab_size": 9999, "max_position_embeddings": 64,
       "rms_norm_eps": 1e-5, "sliding_window": 8, "bos_token_id": 9000, "torch_dtype": "float32"}
      """, to: "config.json")
    let (outcome, _) = try Self.run(
      path, folder.file("model"), ["optimisation.steps=2", "optimisation.warmup=0"])
    #expect(outcome.steps == 2)
    let checkpoint = try Checkpoint(path: folder.file("model"))
    let configuration = checkpoint.configuration
    #expect(try configuration.vocabularySize == checkpoint.tokenizer().vocabularySize)
    #expect(configuration.window == 8)
    #expect(configuration.architecture == "MistralForCausalLM" && configuration.bosToken != 9000)
  }

  /// Quantizers that no other tool knows: the engine runs the masters with the one that they were
  /// trained with, and with the activations.
  @Test(arguments: [("absmean:group=32", "none"), ("absmean", "none"), ("twn", "int8")])
  func theEngineTakesTheQuantizerOfTheTraining(quantizer: String, activations: String) throws {
    let folder = try TemporaryFolder("quantizer")
    var settings = try TrainingRunTests.settings("qwen3", steps: 20)
    settings.quantizer = try StageChoice(parsing: quantizer)
    settings.activations = StageChoice(activations)
    let trainer = try TrainingRunTests.trainer(settings, folder.path)
    try trainer.run()
    let checkpoint = try Checkpoint(path: folder.path)
    try trainer.parameters.load(checkpoint)
    try trainer.model.prepareWeights()
    let tokens: [Int32] = (0..<32).map { ($0 * 5 + 1) % 48 }
    let ours = try trainer.model.logits(tokens)
    let engine = try Engine(
      checkpoint: checkpoint,
      selection: StageSelection(cache: StageChoice("f32"), head: StageChoice("f32")),
      options: EngineOptions(threads: 1))
    #expect(
      engine.layers.allSatisfy {
        $0.activations == activations && $0.provenance == "\(quantizer) of the masters"
      })
    var worst: Float = 0
    try engine.forEachLogits(of: tokens.map(Int.init), from: 0) { position, row in
      for index in 0..<48 { worst = max(worst, abs(row[index] - ours[position, index])) }
    }
    // float32 sums in another order; for int8 a rounding the other way.
    #expect(worst < (activations == "none" ? 1e-3 : 0.05), "\(worst)")
  }

  /// What cannot be trained is named, with the place and a way on.
  @Test func whatCannotBeTrainedIsRefused() throws {
    let folder = try TemporaryFolder("refused")
    func message(_ model: String) throws -> String {
      let path = try folder.write(Self.file(model), to: "train.yaml")
      do {
        _ = try TrainingFile.read(path: path)
        return ""
      } catch { return "\(error)" }
    }
    let sizes = "hidden: 64, feed-forward: 64, layers: 2, heads: 4, context: 64"
    for (model, parts) in [
      ("{family: qwen4, \(sizes)}", ["model.family", "unknown name 'qwen4'", "qwen3"]),
      (
        "{family: qwen3, block: llama, \(sizes)}",
        ["model.block: not together with model.family"]
      ),
      ("{checkpoint: x, \(sizes)}", ["model.hidden: not together with model.checkpoint"]),
      ("{checkpoint: absent}", ["model.checkpoint", "no such model"]),
      ("{family: bitnet, \(sizes), head-dimension: 8}", ["model.heads", "= 64"]),
      (
        "{family: gemma3, \(sizes), config: {layer_types: [full_attention]}}",
        ["layer_types", "another length"]
      ),
      (
        "{family: granite, \(sizes), config: {hidden_size: 9}}",
        ["model.config.hidden_size"]
      ),
      (
        "{family: llama, \(sizes), config: {num_experts: 8}}",
        ["num_experts", "a mixture of experts"]
      ),
      ("{family: llama, \(sizes), config: [1]}", ["model.config: wrong type"]),
    ] {
      let text = try message(model)
      for part in parts { #expect(text.contains(part), "\(part) in:\n\(text)") }
    }
    // A checkpoint's own tokenizer, where it has one in the form that is needed.
    var bare = TinyCheckpoint(.llamaDense)
    bare.tokenizer = nil
    try bare.write(to: folder.file("bare"))
    let path = try folder.write(Self.file("{checkpoint: bare}", ""), to: "bare.yaml")
    #expect {
      _ = try TrainingFile.read(path: path)
    } throws: {
      "\($0)".contains("tokenizer: missing") && "\($0)".contains("since the checkpoint has none")
    }
    // Trits are no masters.
    for kind in [TinyCheckpoint.Kind.bitnetPacked, .llamaPacked] {
      let checkpoint = try Checkpoint(path: TinyCheckpoint.write(kind, in: folder))
      let parameters = ParameterSet(try ModelShape(checkpoint))
      let error = #expect(throws: LabError.self) { try parameters.load(checkpoint) }
      #expect(error?.what == "the checkpoint holds trits, not masters")
    }
  }

  /// The advice for GGUF files works: what is exported is trained.
  @Test func aGGUFFileIsRefusedWithAWayOn() throws {
    let folder = try TemporaryFolder("gguf")
    let path = folder.file("tiny.gguf")
    let source = try Checkpoint(path: TinyCheckpoint.write(.llamaDense, in: folder))
    _ = try GGUFExport(source, linear: .f16).write(to: path)
    let error = #expect(throws: LabError.self) { try ModelShape(Checkpoint(path: path)) }
    #expect(error?.advice?.contains("trit export -m \(path) --type hf-bf16") == true)
    let exported = folder.file("exported")
    _ = try HuggingFaceExport(Checkpoint(path: path), form: .bfloat16).write(to: exported)
    let checkpoint = try Checkpoint(path: exported)
    try ParameterSet(try ModelShape(checkpoint)).load(checkpoint)
  }
}
