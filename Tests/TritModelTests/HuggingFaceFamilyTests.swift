import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Folders for transformers of every family, from folders and from GGUF files. Which keys a class
/// reads: transformers 5, `configuration_*.py`; the folders' logits were compared with those of
/// transformers 5.24 by hand (`Scripts/check_with_transformers.py`).
@Suite("Hugging Face export of families") struct HuggingFaceFamilyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("hf-families") }

  private static let tokens = [1, 17, 5, 33, 2, 60, 9, 9, 4, 21, 40, 3]

  private func logits(_ checkpoint: Checkpoint) throws -> [Float] {
    let engine = try Engine(
      checkpoint: checkpoint,
      selection: StageSelection(
        kernel: StageChoice("dequantize"), attention: StageChoice("naive")),
      options: EngineOptions(threads: 1, maxContext: 16))
    guard checkpoint.configuration.pooling == nil else { return try engine.embed(Self.tokens) }
    var values: [Float] = []
    try engine.forEachLogits(of: Self.tokens, from: 0) { _, row in values += Array(row) }
    return values
  }

  /// Folder to GGUF to folder: the same logits to the last bit, the configuration's keys the same,
  /// the tokenizer that of the folder.
  @Test(arguments: TinyFamily.all)
  func filesOfEveryFamilyComeBack(family: TinyFamily) throws {
    let source = try family.write(to: folder.file("source"))
    let model = try Checkpoint(path: source)
    let file = folder.file("model.gguf")
    try GGUFExport(model, linear: .f32).write(to: file)
    let path = folder.file("back")
    // The file of a model that ternarises its masters holds the trits.
    let form: HuggingFaceExport.Form = family.innerNorms ? .packed : .bfloat16
    let summary = try HuggingFaceExport(try Checkpoint(path: file), form: form).write(to: path)
    let copy = try Checkpoint(path: path)
    #expect(try logits(copy) == logits(model))
    #expect(!summary.notes.contains { $0.contains("change to") }, "\(summary.notes)")
    let (before, after) = (
      try JSONReader.readFile(source + "/config.json"),
      try JSONReader.readFile(path + "/config.json")
    )
    for (key, value) in before.object ?? [] {
      switch key {
      // A file has no head to say that it is the base class alone.
      case "architectures" where family.innerNorms: continue
      // What holds the floats: bfloat16 holds them all.
      case "torch_dtype" where form == .bfloat16: #expect(after[key] == "bfloat16")
      case "quantization_config":
        for name in ["linear_class", "use_rms_norm"] {
          #expect(after[key]?[name] == value[name], "\(name)")
        }
      default:
        if let number = value.double {
          let got = after[key]?.double ?? .nan
          #expect(abs(got - number) <= 1e-6 * abs(number), "\(key): \(got)")
        } else if let members = value.object {
          for (inner, value) in members {
            let got = after[key]?[inner]
            #expect(got == value || got?.double == value.double, "\(key).\(inner)")
          }
        } else {
          #expect(after[key] == value, "\(key)")
        }
      }
    }
    let (a, b) = (try model.tokenizer(), try copy.tokenizer())
    for text in awkwardTexts {
      #expect(
        try a.encode(text, addSpecial: true, parseSpecial: true)
          == b.encode(text, addSpecial: true, parseSpecial: true))
    }
    #expect(a.endOfGeneration.isSubset(of: b.endOfGeneration))
  }

  /// Packed layers of every family, with int8 activations: trits of a quantizer that was asked for,
  /// or of a model that was trained so.
  @Test(arguments: TinyFamily.all)
  func everyFamilyIsPacked(family: TinyFamily) throws {
    let model = try Checkpoint(path: try family.write(to: folder.file("source")))
    let selection =
      family.innerNorms
      ? StageSelection() : StageSelection(quantizer: StageChoice("absmean"))
    let path = folder.file("packed")
    try HuggingFaceExport(model, form: .packed, selection: selection).write(to: path)
    let copy = try Checkpoint(path: path)
    let (a, b) = (
      try LayerResolver(checkpoint: model, selection: selection),
      try LayerResolver(checkpoint: copy, selection: StageSelection())
    )
    for layer in 0..<model.configuration.layers {
      for role in LinearRole.allCases {
        let (x, y) = (try a.resolve(role, layer: layer), try b.resolve(role, layer: layer))
        guard case .ternary(let x1) = x.weights, case .ternary(let y1) = y.weights else {
          Issue.record("\(role) is not ternary")
          return
        }
        #expect(x1.scales == y1.scales, "\(role)")
        #expect(
          withExtendedLifetime((x1, y1)) { x1.trits.buffer.elementsEqual(y1.trits.buffer) },
          "\(role)")
        #expect(x.activationChoice == y.activationChoice, "\(role)")
      }
    }
    // What transformers finds by name.
    if family.innerNorms {
      #expect(copy.source.info("layers.0.self_attn.q_proj.rms_norm.weight") != nil)
      let settings = try JSONReader.readFile(path + "/config.json")["quantization_config"]
      #expect(settings?["use_rms_norm"]?.bool == true)
      #expect(settings?["quantization_mode"] == "offline")
    }
    #expect(copy.source.info(copy.embeddingName)?.type == .f32)
  }

  /// transformers 5.24 takes what lies beside quantized layers as it is stored, and multiplies it with
  /// layers of `torch_dtype`: all of one type, or every load fails.
  @Test func floatsBesideQuantizedLayersHaveOneType() throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(.bitnetPacked, in: folder))
    // float16 beside float32 norms, as bitnet.cpp's files have them.
    let file = folder.file("m.gguf")
    var export = GGUFExport(model, linear: .i2_s)
    export.embedding = .f16
    try export.write(to: file)
    let masters = try Checkpoint(path: try TinyCheckpoint.write(.bitnetOnline, in: folder))
    for (name, source, form, word) in [
      ("packed", try Checkpoint(path: file), HuggingFaceExport.Form.packed, "float32"),
      ("copy", model, .packed, "float32"), ("masters", masters, .bfloat16, "bfloat16"),
    ] {
      let path = folder.file(name)
      try HuggingFaceExport(source, form: form).write(to: path)
      let copy = try Checkpoint(path: path)
      let types = Set(
        copy.source.tensors.filter { !$0.name.hasSuffix("_scale") && $0.type != .u8 }.map(\.type))
      #expect(types == [word == "float32" ? .f32 : .bf16], "\(name): \(types)")
      #expect(try JSONReader.readFile(path + "/config.json")["torch_dtype"]?.string == word)
      if form == .packed { #expect(try logits(copy) == logits(source), "\(name)") }
    }
  }

  /// Of ternary GGUF files of BitNet blocks with SiLU: transformers' own class, which reads
  /// `hidden_act`; and the folder of 1bitLLM, whose class transformers has not.
  @Test(arguments: [HuggingFaceExport.Form.packed, .bfloat16])
  func siluBitNetsGetTheClassOfTransformers(form: HuggingFaceExport.Form) throws {
    var tiny = TinyCheckpoint(.bitnetOnline)
    tiny.config = tiny.config
      .replacingOccurrences(of: "BitNetForCausalLM", with: "BitnetForCausalLM")
      .replacingOccurrences(of: "\"bitnet\",", with: "\"llama\",")
      .replacingOccurrences(of: "relu2", with: "silu")
      .replacingOccurrences(of: "\"rope_theta\": 10000.0,", with: "")
    let range = try #require(tiny.config.range(of: ",\n  \"quantization_config\""))
    tiny.config = tiny.config[..<range.lowerBound] + "\n}"
    for index in tiny.tensors.indices {
      tiny.tensors[index].name = tiny.tensors[index].name
        .replacingOccurrences(of: "attn_sub_norm", with: "inner_attn_ln")
        .replacingOccurrences(of: "ffn_sub_norm", with: "ffn_layernorm")
    }
    try tiny.write(to: folder.file("1bitllm"))
    let model = try Checkpoint(path: folder.file("1bitllm"))
    #expect(model.configuration.architecture == "BitnetForCausalLM")
    let path = folder.file("out")
    let summary = try HuggingFaceExport(model, form: form).write(to: path)
    #expect(summary.architecture == "BitNetForCausalLM")
    #expect(summary.notes.contains { $0.contains("hidden_act silu") })
    let config = try JSONReader.readFile(path + "/config.json")
    #expect(config["model_type"] == "bitnet" && config["hidden_act"] == "silu")
    // The class of transformers has another default.
    #expect(config["rope_theta"]?.double == 10_000)
    #expect(
      config["quantization_config"]?["quantization_mode"]
        == (form == .packed ? "offline" : "online"))
    let copy = try Checkpoint(path: path)
    #expect(copy.source.info("model.layers.0.self_attn.attn_sub_norm.weight") != nil)
    if form == .packed { #expect(try logits(copy) == logits(model)) }
    // From a GGUF file of the same.
    let file = folder.file("m.gguf")
    try GGUFExport(model, linear: .i2_s).write(to: file)
    let again = folder.file("again")
    let other = try HuggingFaceExport(try Checkpoint(path: file), form: .packed).write(to: again)
    #expect(other.architecture == "BitNetForCausalLM")
    #expect(try logits(try Checkpoint(path: again)) == logits(model))
  }

  /// Masters of a GGUF file stay masters: without `quantization_config` they would be a network that
  /// nobody trained.
  @Test func mastersOfFilesSaySo() throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(.bitnetOnline, in: folder))
    let file = folder.file("m.gguf")
    try GGUFExport(model, linear: .i2_s).write(to: file)
    let original = try GGUFFile(path: file)
    var writer = GGUFWriter()
    for (key, value) in original.metadata { writer.set(key, value) }
    for info in original.tensors where info.type != .i2_s {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try original.bytes(info.name))
      )
    }
    for layer in 0..<model.configuration.layers {
      for role in LinearRole.allCases {
        let values = try model.linear(role, layer: layer).weights.dequantized()
        writer.add(
          try TensorContent(
            name: "blk.\(layer).\(role.rawValue).weight", type: .f32,
            shape: [values.rows, values.columns], floats: values.storage))
      }
    }
    let masters = folder.file("masters.gguf")
    try writer.write(to: masters)
    let path = folder.file("out")
    try HuggingFaceExport(try Checkpoint(path: masters), form: .bfloat16).write(to: path)
    let config = try JSONReader.readFile(path + "/config.json")
    #expect(config["quantization_config"]?["quantization_mode"] == "online")
    let resolver = try LayerResolver(
      checkpoint: try Checkpoint(path: path), selection: StageSelection())
    #expect(try resolver.resolve(.gate, layer: 0).weights.kind == .ternary)
  }

  // MARK: What a folder cannot say

  @Test func whatTransformersCannotSayIsRefusedByName() throws {
    func refused(
      _ name: String, _ form: HuggingFaceExport.Form = .bfloat16,
      _ selection: StageSelection = StageSelection(),
      changing change: (inout TinyFamily) -> Void = { _ in },
      metadata: (inout GGUFWriter) -> Void = { _ in }
    ) throws -> LabError? {
      var family = TinyFamily.named(name)
      change(&family)
      let source = try family.write(to: folder.file(UUID().uuidString))
      let file = folder.file(UUID().uuidString + ".gguf")
      try GGUFExport(try Checkpoint(path: source), linear: .f32).write(to: file)
      let original = try GGUFFile(path: file)
      var writer = GGUFWriter()
      for (key, value) in original.metadata { writer.set(key, value) }
      metadata(&writer)
      for info in original.tensors {
        writer.add(
          try TensorContent(
            name: info.name, type: info.type, shape: info.shape,
            bytes: try original.bytes(info.name)))
      }
      let changed = folder.file(UUID().uuidString + ".gguf")
      try writer.write(to: changed)
      return #expect(throws: LabError.self) {
        try HuggingFaceExport(try Checkpoint(path: changed), form: form, selection: selection)
          .write(to: folder.file("out"))
      }
    }
    let part = try refused(
      "GraniteForCausalLM",
      metadata: {
        $0.set("granite.rope.dimension_count", .uint32(8))
      })
    #expect(part?.what.contains("turns a part of a head") == true, "\(String(describing: part))")
    let still = try refused(
      "GraniteForCausalLM",
      metadata: {
        $0.set("granite.rope.scaling.finetuned", .bool(false))
      })
    #expect(still?.what.contains("no rotation") == true)
    let some = try refused(
      "LlamaForCausalLM",
      changing: { family in
        family.biases = ["q_proj", "k_proj", "v_proj"]
        family.config = #""qkv_bias": true"#
      })
    #expect(some?.what.contains("biases in attn_q, attn_k, attn_v alone") == true)
    // Float activations are another model than int8 ones.
    let floats = try refused("Qwen3ForCausalLM", .packed)
    #expect(floats?.what == "packed layers run with int8 activations in transformers")
    #expect(floats?.advice?.contains("--quantizer absmean-ls") == true)
    let grouped = StageSelection(quantizer: try StageChoice(parsing: "absmean:group=32"))
    let groups = try refused("Qwen3ForCausalLM", .packed, grouped)
    #expect(groups?.what == "packed layers have one scale a tensor")
    let inner = try refused("Qwen3Model", .bfloat16, grouped)
    #expect(inner?.what.contains("norms inside plain linear layers") == true)
    #expect(FileKind(at: folder.file("out")) == .absent)
  }

  /// The advice for trits that run with float activations: least squares finds the scale that they
  /// have, and keeps them.
  @Test func absmeanLSKeepsTritsThatWereThere() throws {
    let source = try TinyFamily.named("Qwen3ForCausalLM").write(to: folder.file("source"))
    let file = folder.file("trits.gguf")
    try GGUFExport(
      try Checkpoint(path: source), linear: .f32,
      selection: StageSelection(quantizer: StageChoice("absmean"))
    ).write(to: file)
    let model = try Checkpoint(path: file)
    #expect(throws: LabError.self) {
      try HuggingFaceExport(model, form: .packed).write(to: folder.file("refused"))
    }
    let path = folder.file("packed")
    try HuggingFaceExport(
      model, form: .packed, selection: StageSelection(quantizer: StageChoice("absmean-ls"))
    ).write(to: path)
    let copy = try Checkpoint(path: path)
    let plain = folder.file("plain")
    try HuggingFaceExport(model, form: .bfloat16).write(to: plain)
    for role in LinearRole.allCases {
      let (a, b) = (
        try model.linear(role, layer: 0).weights.dequantized(),
        try copy.linear(role, layer: 0).weights.dequantized()
      )
      #expect(a.rows == b.rows)
      let worst = withExtendedLifetime((a, b)) {
        (0..<a.storage.count).reduce(Float(0)) {
          max($0, abs(a.storage.buffer[$1] - b.storage.buffer[$1]))
        }
      }
      #expect(worst < 1e-6, "\(role): \(worst)")
    }
  }

  /// What is rounded is told: how many values, and by how much at most.
  @Test func roundingIsTold() throws {
    let model = try Checkpoint(path: try TinyCheckpoint.write(.llamaDense, in: folder))
    let summary = try HuggingFaceExport(model, form: .bfloat16).write(to: folder.file("out"))
    let note = try #require(summary.notes.first { $0.contains("change to BF16") })
    #expect(note.contains("of a tensor's largest value"))
    // 14 layers, embedding and head; half a unit of the eighth bit at most.
    #expect(note.contains("of 16 tensors"), "\(note)")
    let quantized = try HuggingFaceExport(
      model, form: .bfloat16, selection: StageSelection(quantizer: StageChoice("absmean"))
    ).write(to: folder.file("q"))
    #expect(quantized.notes.contains { $0.contains("float activations") })
  }

  /// Divisors of rotary frequencies are those of Llama 3's scaling, whichever first context it has.
  @Test(arguments: [(32.0, 8192, 500_000.0), (8, 8192, 500_000), (4, 4096, 10_000)])
  func frequencyFactorsAreFound(factor: Double, original: Int, base: Double) throws {
    var family = TinyFamily.named("LlamaForCausalLM")
    family.config = family.config.replacingOccurrences(of: "32.0", with: "\(factor)")
      .replacingOccurrences(of: "8192", with: "\(original)")
      .replacingOccurrences(of: "500000.0", with: "\(base)")
    let model = try Checkpoint(path: try family.write(to: folder.file("source")))
    let file = folder.file("m.gguf")
    try GGUFExport(model, linear: .f32).write(to: file)
    try HuggingFaceExport(try Checkpoint(path: file), form: .bfloat16).write(to: folder.file("o"))
    let scaling = try JSONReader.readFile(folder.file("o/config.json"))["rope_scaling"]
    #expect(scaling?["rope_type"] == "llama3" && scaling?["factor"]?.double == factor)
    #expect(try logits(try Checkpoint(path: folder.file("o"))) == logits(model))
  }

  /// Files of others, against the folder that they were made from: the same trits or floats.
  @Test(
    .enabled(if: SharedData.isPresent),
    arguments: [
      ("qwen3-q2_0-g64", "qwen3-group128"), ("minicpm-pq2_0", "minicpm-group128"),
      ("qwen3-tern256-tq2_0", "qwen3-tern256"), ("qwen3-binary128-q1_0", "qwen3-binary128"),
      ("gemma3-text-f16", "gemma3-text"), ("qwen2-bias-f16", "qwen2-bias"),
    ])
  func filesOfOthersBecomeTheirFolders(file: String, family: String) throws {
    let source = try Safetensors.open(
      directory: try #require(SharedData.path("families/" + family)))
    let path = folder.file("out")
    let gguf = try Checkpoint(path: try #require(SharedData.path("containers/\(file).gguf")))
    let summary = try HuggingFaceExport(gguf, form: .bfloat16).write(to: path)
    let copy = try Checkpoint(path: path)
    let isExact = !file.hasSuffix("f16")
    for info in source.tensors {
      let got = try copy.source.floats(info.name)
      let wanted = try source.floats(info.name)
      #expect(got.count == wanted.count, "\(info.name)")
      let worst = (0..<got.count).reduce(Float(0)) { max($0, abs(got[$1] - wanted[$1])) }
      // Twice 16 bits where the file holds float16 of float32.
      #expect(worst <= (isExact ? 0 : 0.01), "\(info.name): \(worst)")
    }
    #expect(copy.source.tensors.count == source.tensors.count)
    if isExact { #expect(!summary.notes.contains { $0.contains("change to") }) }
  }

  /// Embedding models: the norms inside layers under transformers' name, the pooling beside.
  @Test(.enabled(if: SharedData.isPresent))
  func embeddingModelsKeepTheirNormsAndPooling() throws {
    let gguf = try Checkpoint(
      path: try #require(SharedData.path("containers/embedding-qwen3-i2_s-exact.gguf")))
    let path = folder.file("out")
    let summary = try HuggingFaceExport(gguf, form: .packed).write(to: path)
    #expect(summary.architecture == "Qwen3Model")
    let copy = try Checkpoint(path: path)
    #expect(copy.configuration.pooling == .last)
    #expect(try logits(copy) == logits(gguf))
    let pooling = try JSONReader.readFile(path + "/1_Pooling/config.json")
    #expect(pooling["pooling_mode_lasttoken"] == true)
    #expect(
      try JSONReader.readFile(path + "/modules.json").array?.count == 3)
  }
}
