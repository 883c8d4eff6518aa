import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Every family against its formulas, written down here in double precision from the families'
/// papers and transformers' `modeling_*.py`, on random weights: what holds without the checkpoints
/// of others.
@Suite struct FamilyFormulaTests {
  /// What a family adds to a Llama block.
  struct Family: Sendable, CustomTestStringConvertible {
    let name: String
    var testDescription: String { name }
    /// Lines of config.json beside the sizes.
    let config: String
    var headNorms = false
    var postNorms = false
    var offset = 0.0
    var biases: Set<String> = []
    var embedding = 1.0, residual = 1.0, logits = 1.0
    var cap: Double?
    /// The soft cap of scores.
    var scoreCap: Double?
    var scale: Double?
    /// The window of each layer.
    var windows: [Int?] = [nil, nil, nil]
    /// The rotary base of each layer.
    var bases = [10_000.0, 10_000, 10_000]
    var gelu = false
    var turned = 8
    var pooled = false

    static let all = [
      Family(
        name: "Qwen3ForCausalLM", config: #""model_type": "qwen3", "head_dim": 8"#,
        headNorms: true),
      Family(
        name: "Qwen2ForCausalLM", config: #""model_type": "qwen2", "head_dim": 8"#,
        biases: ["q_proj", "k_proj", "v_proj"]),
      Family(
        name: "LlamaForCausalLM",
        config: #""attention_bias": true, "mlp_bias": true, "head_dim": 8, "#
          + #""partial_rotary_factor": 0.5"#,
        biases: [
          "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
        ], turned: 4),
      Family(
        name: "Gemma3ForCausalLM",
        config: #""model_type": "gemma3_text", "head_dim": 8, "query_pre_attn_scalar": 5, "#
          + #""sliding_window": 4, "final_logit_softcapping": 3.5, "tie_word_embeddings": true, "#
          + #""hidden_activation": "gelu_pytorch_tanh", "rope_theta": 50000, "#
          + #""rope_local_base_freq": 2000, "layer_types": "#
          + #"["sliding_attention", "full_attention", "sliding_attention"]"#,
        headNorms: true, postNorms: true, offset: 1, embedding: 16.0.squareRoot(), cap: 3.5,
        scale: 1 / 5.0.squareRoot(), windows: [4, nil, 4], bases: [2000, 50_000, 2000], gelu: true),
      Family(
        name: "Gemma2ForCausalLM",
        config: #""model_type": "gemma2", "head_dim": 8, "query_pre_attn_scalar": 5, "#
          + #""sliding_window": 4, "final_logit_softcapping": 3.5, "attn_logit_softcapping": 0.7, "#
          + #""hidden_activation": "gelu_pytorch_tanh""#,
        postNorms: true, offset: 1, embedding: 16.0.squareRoot(), cap: 3.5, scoreCap: 0.7,
        scale: 1 / 5.0.squareRoot(), windows: [4, nil, 4], gelu: true),
      Family(
        name: "GraniteForCausalLM",
        config: #""model_type": "granite", "embedding_multiplier": 7, "residual_multiplier": 0.4, "#
          + #""logits_scaling": 2.5, "attention_multiplier": 0.2, "head_dim": 8"#,
        embedding: 7, residual: 0.4, logits: 1 / 2.5, scale: 0.2),
      Family(
        name: "MiniCPMForCausalLM",
        config: #""model_type": "minicpm", "scale_emb": 3, "scale_depth": 1.2, "#
          + #""dim_model_base": 4, "tie_word_embeddings": false, "head_dim": 8"#,
        embedding: 3, residual: 1.2 / 3.0.squareRoot(), logits: 4.0 / 16),
      Family(
        name: "MistralForCausalLM",
        config: #""model_type": "mistral", "sliding_window": 3, "head_dim": 8"#,
        windows: [3, 3, 3]),
    ]
  }

  private static let (hidden, wide, heads, keys, d, vocabulary, layers) = (16, 24, 4, 2, 8, 40, 3)
  private static let tokens = [3, 17, 5, 5, 39, 0, 21, 8, 30, 11, 2, 26]
  private static let epsilon = 1e-6

  /// Weights by the name without `.weight`, row-major.
  private static func weights(_ family: Family) -> [String: (shape: [Int], values: [Float])] {
    var random = SeededRandom(seed: 9)
    var all: [String: (shape: [Int], values: [Float])] = [:]
    func add(_ name: String, _ shape: [Int], _ spread: Double, around middle: Double = 0) {
      all[name] = (
        shape,
        (0..<shape.reduce(1, *)).map { _ in
          Float(middle + spread * (2 * random.uniform() - 1))
        }
      )
    }
    let gain = 1 - family.offset
    add("model.embed_tokens.weight", [vocabulary, hidden], 1)
    add("model.norm.weight", [hidden], 0.3, around: gain)
    if !family.name.hasPrefix("Gemma") { add("lm_head.weight", [vocabulary, hidden], 0.5) }
    for layer in 0..<layers {
      let at = "model.layers.\(layer)."
      var norms = ["input_layernorm", "post_attention_layernorm"]
      if family.postNorms { norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"] }
      for norm in norms { add(at + norm + ".weight", [hidden], 0.3, around: gain) }
      if family.headNorms {
        for norm in ["q_norm", "k_norm"] {
          add(at + "self_attn.\(norm).weight", [d], 0.3, around: gain)
        }
      }
      for (name, rows, columns) in [
        ("self_attn.q_proj", heads * d, hidden), ("self_attn.k_proj", keys * d, hidden),
        ("self_attn.v_proj", keys * d, hidden), ("self_attn.o_proj", hidden, heads * d),
        ("mlp.gate_proj", wide, hidden), ("mlp.up_proj", wide, hidden),
        ("mlp.down_proj", hidden, wide),
      ] {
        add(at + name + ".weight", [rows, columns], 0.4)
        let short = String(name.split(separator: ".")[1])
        if family.biases.contains(short) { add(at + name + ".bias", [rows], 0.5) }
      }
    }
    return all
  }

  /// Logits of all tokens by the formulas.
  private static func logits(
    _ family: Family, _ weights: [String: (shape: [Int], values: [Float])]
  ) -> [[Double]] {
    func linear(_ name: String, _ x: [Double]) -> [Double] {
      let (shape, values) = weights[name + ".weight"] ?? ([0, 0], [])
      let bias = weights[name + ".bias"]?.values
      return (0..<shape[0]).map { row in
        (0..<shape[1]).reduce(Double(bias?[row] ?? 0)) {
          $0 + Double(values[row * shape[1] + $1]) * x[$1]
        }
      }
    }
    func norm(_ name: String, _ x: ArraySlice<Double>) -> [Double] {
      let gains = weights[name + ".weight"]?.values ?? []
      let mean = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
      return x.enumerated().map {
        $1 / (mean + epsilon).squareRoot() * (Double(gains[$0]) + family.offset)
      }
    }
    func turned(_ x: [Double], at position: Int, _ base: Double) -> [Double] {
      var y = x
      let half = family.turned / 2
      for pair in 0..<half {
        let angle = Double(position) * pow(base, -2 * Double(pair) / Double(family.turned))
        y[pair] = x[pair] * cos(angle) - x[pair + half] * sin(angle)
        y[pair + half] = x[pair + half] * cos(angle) + x[pair] * sin(angle)
      }
      return y
    }
    func heads(_ x: [Double], _ gain: String?, at position: Int, _ base: Double) -> [[Double]] {
      stride(from: 0, to: x.count, by: d).map { start in
        let head = x[start..<start + d]
        return turned(gain.map { norm($0, head) } ?? Array(head), at: position, base)
      }
    }
    let table = weights["model.embed_tokens.weight"]?.values ?? []
    var stream = tokens.map { token in
      (0..<hidden).map { family.embedding * Double(table[token * hidden + $0]) }
    }
    let scale = family.scale ?? 1 / Double(d).squareRoot()
    for layer in 0..<layers {
      let at = "model.layers.\(layer)."
      let base = family.bases[layer]
      let inputs = stream.map { norm(at + "input_layernorm", $0[...]) }
      func own(_ which: String) -> String? {
        family.headNorms ? at + "self_attn.\(which)_norm" : nil
      }
      let q = inputs.enumerated().map {
        heads(linear(at + "self_attn.q_proj", $1), own("q"), at: $0, base)
      }
      let k = inputs.enumerated().map {
        heads(linear(at + "self_attn.k_proj", $1), own("k"), at: $0, base)
      }
      let v = inputs.map { linear(at + "self_attn.v_proj", $0) }
      for position in stream.indices {
        let first = max(0, position + 1 - (family.windows[layer] ?? position + 1))
        var attended: [Double] = []
        for head in 0..<Self.heads {
          let shared = head / (Self.heads / keys)
          let scores = (first...position).map { other in
            scale * zip(q[position][head], k[other][shared]).reduce(0) { $0 + $1.0 * $1.1 }
          }.map { score in family.scoreCap.map { $0 * tanh(score / $0) } ?? score }
          let top = scores.max() ?? 0
          let weights = scores.map { exp($0 - top) }
          let total = weights.reduce(0, +)
          for element in 0..<d {
            attended.append(
              zip(first...position, weights).reduce(0) {
                $0 + $1.1 / total * v[$1.0][shared * d + element]
              })
          }
        }
        var added = linear(at + "self_attn.o_proj", attended)
        if family.postNorms { added = norm(at + "post_attention_layernorm", added[...]) }
        stream[position] = zip(stream[position], added).map { $0 + family.residual * $1 }
        let before = family.postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm"
        let x = norm(at + before, stream[position][...])
        let product = zip(linear(at + "mlp.gate_proj", x), linear(at + "mlp.up_proj", x)).map {
          gate, up in
          let inner = (2 / Double.pi).squareRoot() * (gate + 0.044715 * gate * gate * gate)
          return (family.gelu ? 0.5 * gate * (1 + tanh(inner)) : gate / (1 + exp(-gate))) * up
        }
        var down = linear(at + "mlp.down_proj", product)
        if family.postNorms { down = norm(at + "post_feedforward_layernorm", down[...]) }
        stream[position] = zip(stream[position], down).map { $0 + family.residual * $1 }
      }
    }
    let head = weights["lm_head.weight"] == nil ? "model.embed_tokens" : "lm_head"
    return stream.map { row in
      linear(head, norm("model.norm", row[...])).map { logit in
        let scaled = family.logits * logit
        return family.cap.map { $0 * tanh(scaled / $0) } ?? scaled
      }
    }
  }

  @Test(arguments: Family.all) func engineComputesTheFormulas(family: Family) throws {
    let weights = Self.weights(family)
    var tiny = TinyCheckpoint(.llamaDense)
    tiny.tokenizer = nil
    tiny.config = """
      {"architectures": ["\(family.name)"], "hidden_size": 16, "intermediate_size": 24,
       "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
       "vocab_size": 40, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, \(family.config)}
      """
    tiny.tensors = weights.sorted { $0.key < $1.key }.map {
      TinyCheckpoint.Tensor($0.key, shape: $0.value.shape, floats: $0.value.values)
    }
    let folder = try TemporaryFolder("formula")
    try tiny.write(to: folder.file("model"))
    let expected = Self.logits(family, weights)
    for attention in ["naive", "streaming", "flash"] {
      var options = EngineOptions(threads: 2, chunk: 5)
      options.readsTokenizer = false
      let engine = try Engine(
        checkpoint: Checkpoint(path: folder.file("model")),
        selection: StageSelection(
          attention: StageChoice(attention), cache: StageChoice("f32"), head: StageChoice("f32")),
        options: options)
      var worst = 0.0
      try engine.forEachLogits(of: Self.tokens, from: 0) { position, values in
        for (index, value) in values.enumerated() {
          worst = max(worst, abs(Double(value) - expected[position][index]))
        }
      }
      // Some hundred roundings of numbers of up to 30.
      #expect(worst < 2e-4, "\(attention)")
      #expect(expected.joined().contains { abs($0) > 0.5 })
      // One token after the other gives the same.
      engine.reset()
      for (position, token) in Self.tokens.enumerated() {
        for (index, value) in try engine.decode(token).enumerated() {
          worst = max(worst, abs(Double(value) - expected[position][index]))
        }
      }
      #expect(worst < 2e-4, "\(attention), token by token")
    }
  }

  /// Attention that knows no windows, or no caps, would compute another model.
  @Test(arguments: [(7, "cannot be limited to a window"), (4, "cannot cap its scores")])
  func attentionThatKnowsNoWindowIsRefused(index: Int, reason: String) throws {
    struct Blind: Attention {
      let inner = NaiveAttention()
      var name: String { "blind" }
      func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
        inner.scratchCount(context: context, capacity: capacity, tokens: tokens)
      }
      func attend(
        _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
        heads: Range<Int>, scratch: UnsafeMutablePointer<Float>,
        into output: MutableMatrixView<Float>, probe: AttentionProbe?
      ) {
        inner.attend(
          queries, context: context, cache: cache, heads: heads, scratch: scratch, into: output,
          probe: probe)
      }
    }
    let family = Family.all[index]
    var tiny = TinyCheckpoint(.llamaDense)
    tiny.tokenizer = nil
    tiny.config = """
      {"architectures": ["\(family.name)"], "hidden_size": 16, "intermediate_size": 24,
       "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
       "vocab_size": 40, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, \(family.config)}
      """
    tiny.tensors = Self.weights(family).sorted { $0.key < $1.key }.map {
      TinyCheckpoint.Tensor($0.key, shape: $0.value.shape, floats: $0.value.values)
    }
    let folder = try TemporaryFolder("window")
    try tiny.write(to: folder.file("model"))
    var lab = Lab.stages
    try lab.add(
      .attention,
      StageDescriptor(
        "blind", summary: "no window", source: "a test", accepts: "queries", gives: "sums")
    ) { _ in Blind() }
    let error = #expect(throws: LabError.self) {
      try Engine(
        checkpoint: Checkpoint(path: folder.file("model")),
        selection: StageSelection(attention: StageChoice("blind")), lab: lab)
    }
    #expect(error?.what.contains(reason) == true)
  }
}
