import Foundation
import Testing
import TritLab
import _TritTestSupport

/// A configuration is read as it is meant, or refused with file, key, what was expected and what
/// was there.
@Suite("Configurations, read strictly") struct StrictConfigurationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("strict") }

  /// A tiny checkpoint whose `config.json` has `changes` (JSON texts; nil removes the key).
  func write(
    _ changes: [String: String?], kind: TinyCheckpoint.Kind = .llamaDense,
    _ edit: (inout TinyCheckpoint) -> Void = { _ in }
  ) throws -> String {
    var tiny = TinyCheckpoint(kind)
    guard case .object(var members) = try JSONReader.read(tiny.config) else { return "" }
    for (key, text) in changes.sorted(by: { $0.key < $1.key }) {
      members.removeAll { $0.key == key }
      if let text { members.append((key, try JSONReader.read(text))) }
    }
    tiny.config = JSONWriter.text(.object(members))
    edit(&tiny)
    let path = folder.file(UUID().uuidString)
    try tiny.write(to: path)
    return path
  }

  func refusal(_ changes: [String: String?], kind: TinyCheckpoint.Kind = .llamaDense) throws
    -> LabError?
  {
    let path = try write(changes, kind: kind)
    do {
      _ = try Checkpoint(path: path)
      return nil
    } catch let error as LabError { return error }
  }

  func logits(_ path: String, head: String = "exact") throws -> [Float] {
    let engine = try Engine(
      checkpoint: try Checkpoint(path: path),
      selection: StageSelection(
        kernel: StageChoice("dequantize"), head: try StageChoice(parsing: head)),
      options: EngineOptions(threads: 1, maxContext: 16))
    var values: [Float] = []
    try engine.forEachLogits(of: [1, 17, 5, 33, 2, 9], from: 0) { _, row in values += Array(row) }
    return values
  }

  static let llama3 = """
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, \
    "original_max_position_embeddings": 64}
    """

  @Test("rope_parameters beside a null rope_scaling scales as rope_scaling alone does")
  func ropeParameters() throws {
    let plain = try logits(try write(["rope_scaling": nil]))
    let old = try logits(try write(["rope_scaling": Self.llama3]))
    #expect(old != plain)
    let theta =
      try JSONReader.read(TinyCheckpoint(.llamaDense).config)["rope_theta"]?.double ?? 10_000
    let new = Self.llama3.dropLast() + ", \"rope_theta\": \(theta)}"
    for changes: [String: String?] in [
      ["rope_scaling": "null", "rope_parameters": String(new)],
      ["rope_scaling": nil, "rope_parameters": String(new), "rope_theta": nil],
      ["rope_scaling": Self.llama3, "rope_parameters": String(new)],
      ["rope_scaling": Self.llama3.replacing("rope_type", with: "type")],
    ] {
      #expect(try logits(try write(changes)) == old, "\(changes)")
    }
    // The identity, in several words.
    for changes: [String: String?] in [
      ["rope_scaling": "{\"rope_type\": \"default\"}"],
      ["rope_scaling": "null", "rope_parameters": "{\"rope_type\": \"linear\", \"factor\": 1}"],
    ] {
      #expect(try logits(try write(changes)) == plain, "\(changes)")
    }
  }

  @Test(
    "a wrong type, an unknown form or a contradiction names the key",
    arguments: [
      ("rope_scaling", "\"llama3\"", "rope_scaling"), ("rope_scaling", "[8.0]", "rope_scaling"),
      ("rope_scaling", "{\"rope_type\": \"yarn\"}", "rope_scaling"),
      ("rope_scaling", "{\"rope_type\": \"dynamic\", \"factor\": 4}", "rope_scaling.rope_type"),
      (
        "rope_scaling", "{\"rope_type\": \"longrope\", \"short_factor\": [1]}", "rope_scaling"
      ),
      ("rope_scaling", "{\"rope_type\": \"linear\"}", "rope_scaling"),
      ("rope_scaling", "{\"rope_type\": \"linear\", \"factor\": \"4\"}", "rope_scaling.factor"),
      ("rope_scaling", "{\"rope_type\": \"linear\", \"factor\": -4}", "rope_scaling.factor"),
      ("rope_scaling", "{\"rope_type\": \"linear\", \"type\": \"llama3\", \"factor\": 4}", "type"),
      (
        "rope_scaling",
        "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 4, "
          + "\"original_max_position_embeddings\": 64}", "high_freq_factor"
      ),
      ("rope_parameters", "{\"full_attention\": {\"rope_type\": \"default\"}}", "full_attention"),
      ("rope_parameters", "{\"rope_theta\": 12345}", "rope_theta"),
      ("rope_parameters", "{\"rope_theta\": \"1e4\"}", "rope_theta"),
      ("rope_theta", "\"10000\"", "rope_theta"), ("rope_theta", "-1", "rope_theta"),
      ("rms_norm_eps", "\"1e-5\"", "rms_norm_eps"), ("rms_norm_eps", "null", "rms_norm_eps"),
      ("hidden_size", "\"128\"", "hidden_size"), ("hidden_size", "null", "hidden_size"),
      ("hidden_size", "128.5", "hidden_size"), ("hidden_size", "0", "hidden_size"),
      ("num_attention_heads", "-4", "num_attention_heads"),
      ("num_hidden_layers", "9223372036854775807", "num_hidden_layers"),
      ("head_dim", "1", "config.json"), ("head_dim", "[32]", "head_dim"),
      ("vocab_size", "0", "vocab_size"),
      ("tie_word_embeddings", "\"false\"", "tie_word_embeddings"),
      ("tie_word_embeddings", "1", "tie_word_embeddings"),
      ("hidden_act", "\"mish\"", "hidden_act"), ("hidden_act", "7", "hidden_act"),
      ("attention_bias", "\"no\"", "attention_bias"),
      ("partial_rotary_factor", "1.5", "partial_rotary_factor"),
      ("sliding_window", "16", "sliding_window"),
      ("layer_types", "[\"full_attention\", \"sliding_attention\"]", "layer_types"),
      ("final_logit_softcapping", "30.0", "final_logit_softcapping"),
      ("embedding_multiplier", "12.0", "embedding_multiplier"),
      ("logits_scaling", "8", "logits_scaling"), ("scale_depth", "1.4", "scale_depth"),
      ("num_local_experts", "8", "num_local_experts"), ("clip_qkv", "8.0", "clip_qkv"),
      ("model_type", "\"mistral\"", "model_type"),
      ("architectures", "\"LlamaForCausalLM\"", "architectures"),
      ("architectures", "[7]", "architectures[0]"),
      ("architectures", "[\"GemmaForCausalLM\"]", "architectures[0]"),
      ("eos_token_id", "\"2\"", "eos_token_id"),
      ("eos_token_id", "[2, 100000000]", "eos_token_id[1]"),
      ("bos_token_id", "-1", "bos_token_id"),
      ("quantization_config", "\"bitnet\"", "quantization_config"),
      ("quantization_config", "{}", "quantization_config"),
      ("quantization_config", "{\"quant_method\": \"gptq\"}", "quant_method"),
      (
        "quantization_config", "{\"quant_method\": \"bitnet\", \"linear_class\": 3}", "linear_class"
      ),
      (
        "quantization_config",
        "{\"quant_method\": \"bitnet\", \"modules_to_not_convert\": \"lm_head\"}",
        "modules_to_not_convert"
      ),
    ])
  func refused(key: String, value: String, place: String) throws {
    let error = try #require(try refusal([key: value]), "\(key): \(value) was taken")
    #expect(error.kind == .badData)
    #expect(error.place?.contains(place) == true, "\(error)")
    #expect(error.expected != nil || error.got != nil || error.what.contains("missing"), "\(error)")
  }

  @Test("values that change nothing are taken")
  func harmless() throws {
    let plain = try logits(try write([:]))
    for changes: [String: String?] in [
      ["sliding_window": "null"], ["sliding_window": "4096", "max_position_embeddings": "256"],
      ["sliding_window": "16", "use_sliding_window": "false"],
      ["layer_types": "[\"full_attention\", \"full_attention\"]"], ["head_dim": "null"],
      ["final_logit_softcapping": "null"], ["logits_scaling": "1"], ["embedding_multiplier": "1.0"],
      ["num_local_experts": "0"], ["mlp_bias": "false"], ["partial_rotary_factor": "1.0"],
      ["architectures": nil, "model_type": "\"llama\""], ["bos_token_id": "null"],
      ["eos_token_id": "[2, 3]"], ["unknown_key_of_tomorrow": "{\"a\": [1]}"],
    ] {
      #expect(try logits(try write(changes)) == plain, "\(changes)")
    }
  }

  @Test("an absent epsilon is the class's default, and said")
  func absentEpsilon() throws {
    let model = try Checkpoint(path: try write(["rms_norm_eps": nil]))
    #expect(model.configuration.normEpsilon == 1e-6)
    #expect(model.notes.contains { $0.contains("rms_norm_eps") })
    let bitnet = try Checkpoint(path: try write(["rms_norm_eps": nil], kind: .bitnetOnline))
    #expect(bitnet.configuration.normEpsilon == 1e-5)
  }

  @Test("a base model's names lack their prefix")
  func baseModel() throws {
    let whole = try write([:])
    let base = try write(["architectures": "[\"LlamaModel\"]"]) { tiny in
      for index in tiny.tensors.indices where tiny.tensors[index].name.hasPrefix("model.") {
        tiny.tensors[index].name.removeFirst("model.".count)
      }
    }
    #expect(try logits(base) == logits(whole))
  }

  @Test("a stored head that differs from a tied embedding is used, and said once")
  func storedHead() throws {
    let untied = try write([:])
    let tied = try write(["tie_word_embeddings": "true"])
    let model = try Checkpoint(path: tied)
    #expect(!model.tiesEmbeddings && model.notes.count { $0.contains("lm_head.weight") } == 1)
    #expect(try logits(tied) == logits(untied))
    // The same matrix twice is a tied one.
    let same = try Checkpoint(
      path: try write(["tie_word_embeddings": "true"]) { tiny in
        guard let embedding = tiny.tensors.first(where: { $0.name.contains("embed_tokens") }),
          let head = tiny.tensors.firstIndex(where: { $0.name == "lm_head.weight" })
        else { return }
        tiny.tensors[head].bytes = embedding.bytes
      })
    #expect(same.tiesEmbeddings && same.notes.isEmpty)
    // Untied without a head is no model.
    let headless = try write([:]) { tiny in tiny.tensors.removeAll { $0.name == "lm_head.weight" } }
    #expect(throws: LabError.self) { try Checkpoint(path: headless) }
  }

  /// Layer 1's query stays dense; its weights are not trits.
  func mixed(_ patterns: String) throws -> String {
    let config = TinyCheckpoint(.llamaPacked).config
    guard case .object(var members)? = try JSONReader.read(config)["quantization_config"] else {
      return ""
    }
    members.removeAll { $0.key == "modules_to_not_convert" }
    members.append(("modules_to_not_convert", try JSONReader.read(patterns)))
    return try write(
      ["quantization_config": JSONWriter.text(.object(members))], kind: .llamaPacked
    ) { tiny in
      let name = "model.layers.1.self_attn.q_proj.weight"
      guard let index = tiny.tensors.firstIndex(where: { $0.name == name }) else { return }
      var random = SeededRandom(seed: 4)
      let floats = (0..<128 * 128).map { _ in Float(random.uniform() - 0.5) / 8 }
      tiny.tensors[index] = TinyCheckpoint.Tensor(name, shape: [128, 128], floats: floats)
      tiny.tensors.removeAll { $0.name == "model.layers.1.self_attn.q_proj.weight_scale" }
    }
  }

  @Test(
    "a module that was not converted stays dense, with float inputs",
    arguments: [
      "[\"lm_head\", \"model.layers.1.self_attn.q_proj\"]", "[\"layers.1.self_attn.q_proj\"]",
      "[\"model.layers.1.self_attn.q\"]", "[\"model\\\\.layers\\\\.[1]\\\\.self_attn\\\\.q_.*\"]",
    ])
  func unconverted(patterns: String) throws {
    let model = try Checkpoint(path: try mixed(patterns))
    let resolver = try LayerResolver(checkpoint: model, selection: StageSelection())
    let dense = try resolver.resolve(.query, layer: 1)
    guard case .dense = dense.weights else {
      Issue.record("\(dense.weights.form)")
      return
    }
    #expect(dense.activationChoice == StageChoice("none"))
    let other = try resolver.resolve(.query, layer: 0)
    guard case .ternary = other.weights else {
      Issue.record("\(other.weights.form)")
      return
    }
    // Its export keeps it dense too, and computes the same.
    let path = folder.file("mixed.gguf")
    try GGUFExport(model, linear: .i2_s).write(to: path)
    let copy = try Checkpoint(path: path)
    #expect(copy.source.info("blk.1.attn_q.weight")?.type == .f32)
    #expect(copy.source.info("blk.0.attn_q.weight")?.type == .i2_s)
    let worst = zip(try logits(model.path), try logits(path)).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < 0.1, "\(worst)")
  }

  @Test("packed or float against the configuration is refused")
  func contradictions() throws {
    // Not listed, and no trits.
    let model = try Checkpoint(path: try mixed("[\"lm_head\"]"))
    let error = #expect(throws: LabError.self) { try model.linear(.query, layer: 1) }
    #expect(error?.advice?.contains("modules_to_not_convert") == true)
    // Listed, but packed.
    let config = try #require(
      try JSONReader.read(TinyCheckpoint(.llamaPacked).config)["quantization_config"])
    guard case .object(var members) = config else { return }
    members.removeAll { $0.key == "modules_to_not_convert" }
    for (changed, words) in [
      (
        members + [("modules_to_not_convert", JSONValue.array(["v_proj"]))],
        "modules_to_not_convert"
      ),
      (
        members.filter { $0.key != "quantization_mode" } + [("quantization_mode", "online")],
        "online"
      ),
    ] {
      let error = try refusal(
        ["quantization_config": JSONWriter.text(.object(changed))], kind: .llamaPacked)
      #expect(error?.what.contains("packed") == true, "\(error as Any)")
      #expect(error?.expected?.contains(words) == true, "\(error as Any)")
    }
    let none = try refusal(["quantization_config": nil], kind: .llamaPacked)
    #expect(none?.expected?.contains("no quantization_config") == true, "\(none as Any)")
  }
}
