import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct CheckpointTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("checkpoint") }

  private func open(
    _ kind: TinyCheckpoint.Kind = .bitnetOnline, _ change: (inout TinyCheckpoint) -> Void = { _ in }
  ) throws -> Checkpoint {
    var tiny = TinyCheckpoint(kind)
    change(&tiny)
    let path = folder.file("model")
    try tiny.write(to: path)
    return try Checkpoint(path: path)
  }

  /// The error that opening (or running) a changed checkpoint ends with.
  private func error(
    _ kind: TinyCheckpoint.Kind = .bitnetOnline, _ change: (inout TinyCheckpoint) -> Void
  ) throws -> LabError {
    do {
      let checkpoint = try open(kind, change)
      _ = try Engine(
        checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice("reference")))
    } catch let error as LabError {
      return error
    }
    throw LabError(.internalError, "no error was thrown")
  }

  @Test func aMissingTensorIsNamed() throws {
    let error = try error { tiny in
      tiny.tensors.removeAll { $0.name == "model.layers.1.mlp.up_proj.weight" }
    }
    #expect(error.kind == .badData)
    #expect(error.what.contains("'model.layers.1.mlp.up_proj.weight' is missing"))
  }

  @Test func aTensorThatNobodyComputesWithIsNamed() throws {
    let error = try error { tiny in
      tiny.tensors.append(
        TinyCheckpoint.Tensor("model.layers.0.self_attn.q_proj.lora", shape: [2], floats: [1, 2]))
    }
    #expect(error.what.contains("'model.layers.0.self_attn.q_proj.lora' is not part of"))
  }

  /// What layer 0 has, every layer has.
  @Test func aBiasOfOneLayerAloneIsAnError() throws {
    let error = try error { tiny in
      tiny.tensors.append(
        TinyCheckpoint.Tensor(
          "model.layers.0.self_attn.k_proj.bias", shape: [64],
          floats: Array(repeating: 1, count: 64)))
    }
    #expect(error.what.contains("'model.layers.1.self_attn.k_proj.bias' is missing"))
  }

  @Test func aWrongShapeSaysExpectedAndGot() throws {
    let error = try error { tiny in
      tiny.replace("model.layers.0.mlp.down_proj.weight") { tensor in
        tensor.shape = [tensor.shape[1], tensor.shape[0]]
      }
    }
    #expect(error.expected == "[128, 256]")
    #expect(error.got == "[256, 128]")
  }

  @Test func aWeightThatIsNaNIsPlaced() throws {
    let error = try error { tiny in
      tiny.replace("model.layers.0.self_attn.o_proj.weight") { tensor in
        withUnsafeBytes(of: Float.nan) { tensor.bytes.replaceSubrange(40..<44, with: $0) }
      }
    }
    #expect(error.place?.hasSuffix("model.layers.0.self_attn.o_proj.weight[10]") == true)
    #expect(error.got == "nan")
  }

  @Test func aFourthCodeIsAnError() throws {
    let error = try error(.bitnetPacked) { tiny in
      tiny.replace("model.layers.0.self_attn.q_proj.weight") { $0.bytes[0] = 0b11 }
    }
    #expect(error.what.contains("stands for no trit"))
  }

  @Test(arguments: [Float.nan, 0, -Float.infinity]) func aBadScaleIsAnError(scale: Float) throws {
    let error = try error(.llamaPacked) { tiny in
      tiny.replace("model.layers.1.self_attn.k_proj.weight_scale") { tensor in
        tensor = TinyCheckpoint.Tensor(tensor.name, shape: [1], floats: [scale])
      }
    }
    #expect(error.kind == .badData)
    #expect(error.description.contains("model.layers.1.self_attn.k_proj"))
  }

  @Test(arguments: [
    (#""hidden_size": 128"#, #""hidden_size": "wide""#, "hidden_size"),
    (#""hidden_size": 128"#, #""hidden_size": -4"#, "config.json: hidden_size"),
    (
      #""num_hidden_layers": 2"#, #""num_hidden_layers": 99999999"#,
      "config.json: num_hidden_layers"
    ),
    (
      #""num_attention_heads": 4"#, #""num_attention_heads": 0"#, "config.json: num_attention_heads"
    ),
    (#""num_key_value_heads": 2"#, #""num_key_value_heads": 3"#, "share the key/value heads"),
    ("BitNetForCausalLM", "Qwen3MoeForCausalLM", "it is a mixture of experts"),
    ("BitNetForCausalLM", "Qwen3ForCausalLM", "the configuration contradicts itself"),
    ("BitNetForCausalLM", "GPTNeoXForCausalLM", "'GPTNeoXForCausalLM' is not supported"),
    ("autobitlinear", "sparselinear", "'sparselinear'"),
    (#""quant_method": "bitnet""#, #""quant_method": "gptq""#, "'gptq' is not supported"),
    (#""hidden_act": "relu2""#, #""hidden_act": "mish""#, "'mish' is not supported"),
  ]) func aBadConfigurationNamesItsKey(find: String, put: String, message: String) throws {
    let error = try error { tiny in
      #expect(tiny.config.contains(find), "the fixture changed")
      tiny.config = tiny.config.replacingOccurrences(of: find, with: put)
    }
    #expect(error.kind == .badData)
    #expect(error.description.contains(message), "\(error)")
    #expect(error.place?.contains("config.json") == true)
  }

  @Test func packedAndDividingScalesReadTheSame() throws {
    for (kind, divides) in [(TinyCheckpoint.Kind.bitnetPacked, false), (.llamaPacked, true)] {
      let checkpoint = try open(kind)
      #expect(checkpoint.configuration.quantization?.scaleDivides == divides)
      let stored = try checkpoint.source.floats("model.layers.0.self_attn.q_proj.weight_scale")
      guard case .ternary(let matrix) = try checkpoint.linear(.query, layer: 0).weights else {
        Issue.record("packed weights did not read as trits")
        continue
      }
      #expect(matrix.scales == [divides ? 1 / stored[0] : stored[0]])
    }
  }

  @Test func unpackingFollowsTheHuggingFaceExample() throws {
    // Rows −1, 0, 1, −1, 0, 1, −1, 0 of one column pack to bytes 24 and 97 (transformers' layout).
    let path = folder.file("packed.safetensors")
    let header =
      #"{"w":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]}}"#
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    try Data(length + Array(header.utf8) + [24, 97]).write(to: URL(fileURLWithPath: path))
    let file = try SafetensorsFile(path: path)
    let matrix = try TernaryTensors.readHuggingFace(
      try #require(file.info("w")), rows: 8, columns: 1, scale: 1, from: file)
    #expect(Array(matrix.trits.buffer) == [-1, 0, 1, -1, 0, 1, -1, 0])
  }

  @Test func locationsThatDoNotExistSayWhatToDo() throws {
    func advice(_ text: String) -> String? {
      do {
        _ = try ModelLocation.resolve(text)
        return nil
      } catch { return (error as? LabError).map { "\($0.exitCode) \($0)" } }
    }
    #expect(advice(folder.file("nothing.gguf"))?.hasPrefix("66") == true)
    #expect(advice("builtin:nobody")?.contains("built-in") == true)
    #expect(
      advice("hf:org/absent-model-\(UUID())")?.contains("hf download org/absent-model") == true)
    #expect(advice("hf:../../etc/passwd")?.hasPrefix("64") == true)
    #expect(advice(folder.path)?.contains("holds no model") == true)
  }
}

@Suite struct GlobTests {
  @Test(arguments: [
    ("blk.0.*", "blk.0.attn_q", true), ("blk.0.*", "blk.10.attn_q", false),
    ("*.ffn_down", "blk.3.ffn_down", true), ("blk.?.attn_?", "blk.3.attn_k", true),
    ("blk.?.attn_?", "blk.3.attn_output", false), ("blk.-1.*", "blk.3.ffn_up", true),
    ("blk.-1.*", "blk.2.ffn_up", false), ("*", "blk.0.attn_q", true), ("", "blk.0.attn_q", false),
    ("*a*n*", "blk.0.attn_q", true),
  ]) func matches(pattern: String, name: String, isMatch: Bool) {
    #expect(Glob(pattern, layers: 4).matches(name) == isMatch)
  }
}
