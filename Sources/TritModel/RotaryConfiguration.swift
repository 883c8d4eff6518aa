import TritAttention
import TritCore
import TritFormats

/// What a `config.json` says of the rotary embedding: `rope_theta` and `rope_scaling` (transformers
/// 4), or `rope_parameters` (transformers 5), which holds both.
///
/// Source: transformers 5, `modeling_rope_utils.py`: a `rope_scaling` that is not null stands for
/// `rope_parameters`.
struct RotaryConfiguration {
  /// Base of the angles.
  let base: Double
  /// Base of the angles of windowed layers, where it is one of its own.
  let localBase: Double?
  /// Rescaling of the frequencies.
  let scaling: RotaryScaling
  /// The part of a head that turns, above 0 and at most 1.
  let fraction: Double

  /// Reads the top of a `config.json`. `hasWindows`: whether layers may be of two kinds, each with
  /// a rotation of its own. Throws `badData` for a wrong type, an unknown form, and where two
  /// places contradict each other.
  init(_ root: JSONField, hasWindows: Bool = false) throws {
    let old = try root["rope_scaling"]?.object()
    var new = try root["rope_parameters"]?.object()
    // transformers 5 of families with windows: one rotation for each kind of layer.
    if hasWindows, let kinds = new,
      kinds["full_attention"] != nil || kinds["sliding_attention"] != nil
    {
      let local = try kinds["sliding_attention"]?.object()
      if let local, case let other = try Self.scaling(local), other != .none {
        throw LabError(
          .badData, "windowed layers with scaled angles are not supported", at: local.place,
          expected: "rope_type default", got: "\(other)")
      }
      localBase = try local?["rope_theta"]?.positive()
      new = try kinds["full_attention"]?.object()
    } else {
      localBase = nil
    }
    let fractions = try [
      root["partial_rotary_factor"], root["rotary_pct"], old?["partial_rotary_factor"],
      new?["partial_rotary_factor"],
    ].compactMap { $0 }.map { ($0.place, try $0.positive()) }
    if let wrong = fractions.first(where: { $0.1 > 1 || $0.1 != fractions[0].1 }) {
      throw LabError(
        .badData, "the rotated part of a head is no part, or two places contradict each other",
        at: wrong.0, expected: "one number above 0 and at most 1", got: "\(wrong.1)")
    }
    fraction = fractions.first?.1 ?? 1
    // Before 4.43 the first length of longrope and yarn stood at the top.
    let original =
      try root["original_max_position_embeddings"]?.integer(in: 1...(1 << 26))
      ?? root["max_position_embeddings"]?.integer(in: 1...(1 << 26))
    let longest = try root["max_position_embeddings"]?.integer(in: 1...(1 << 26))
    let scalings = try [old, new].compactMap { $0 }.map {
      ($0.place, try Self.scaling($0, original: original, longest: longest))
    }
    if scalings.count == 2, scalings[0].1 != scalings[1].1 {
      throw LabError(
        .badData, "two places contradict each other about the rotary scaling", at: scalings[0].0,
        expected: "the same as rope_parameters: \(scalings[1].1)", got: "\(scalings[0].1)",
        advice: "remove the one that is wrong")
    }
    scaling = scalings.first?.1 ?? .none
    let bases = try [
      root["rope_theta"], old?["rope_theta"], new?["rope_theta"], root["rotary_emb_base"],
    ].compactMap { $0 }.map { ($0.place, try $0.positive()) }
    if let other = bases.first(where: { $0.1 != bases[0].1 }) {
      throw LabError(
        .badData, "two places contradict each other about the rotary base", at: other.0,
        expected: "\(bases[0].1), as at \(bases[0].0)", got: "\(other.1)",
        advice: "remove the one that is wrong")
    }
    base = bases.first?.1 ?? 10_000
  }

  private static func scaling(
    _ field: JSONField, original: Int? = nil, longest: Int? = nil
  ) throws -> RotaryScaling {
    let kinds = try ["rope_type", "type"].compactMap { field[$0] }.map {
      ($0.place, try $0.string())
    }
    if kinds.count == 2, kinds[0].1 != kinds[1].1 {
      throw LabError(
        .badData, "rope_type and type contradict each other", at: kinds[1].0, expected: kinds[0].1,
        got: kinds[1].1)
    }
    if let layers = field.value.object?.first(where: { $0.value.object != nil }) {
      throw LabError(
        .badData, "a rotation of its own for each kind of layer is not supported",
        at: "\(field.place).\(layers.key)", expected: "one rotation for all layers",
        advice: "the lab runs the Llama and BitNet families only")
    }
    let kind = kinds.first?.1 ?? "default"
    if !["yarn", "longrope", "su"].contains(kind), let member = field["attention_factor"],
      try member.number() != 1
    {
      throw LabError(
        .badData, "attention_factor: the lab does not compute it for '\(kind)'", at: member.place,
        expected: "1.0", got: "\(try member.number())")
    }
    if let member = field["mrope_section"] {
      throw LabError(.badData, "rotation in sections is not supported", at: member.place)
    }
    let limit = 1...(1 << 26)
    switch kind {
    case "default": return .none
    case "yarn":
      for key in ["mscale", "mscale_all_dim"] {
        guard let member = field[key], try member.number() != 0 else { continue }
        throw LabError(
          .badData, "\(key): the lab does not compute it", at: member.place, expected: "no such key"
        )
      }
      let factor = try field.required("factor").positive()
      return .yarn(
        factor: factor,
        originalContext: try field["original_max_position_embeddings"]?.integer(in: limit)
          ?? original ?? field.required("original_max_position_embeddings").integer(in: limit),
        betaFast: try field["beta_fast"]?.positive() ?? 32,
        betaSlow: try field["beta_slow"]?.positive() ?? 1,
        attentionFactor: try field["attention_factor"]?.positive(),
        truncates: try field["truncate"]?.bool() ?? true)
    case "longrope", "su":
      func factors(_ key: String) throws -> [Float] {
        try field.required(key).elements(atMost: 1 << 14).map { Float(try $0.positive()) }
      }
      let first =
        try field["original_max_position_embeddings"]?.integer(in: limit) ?? original
        ?? field.required("original_max_position_embeddings").integer(in: limit)
      let factor =
        try field["factor"]?.positive() ?? Double(longest ?? first) / Double(first)
      return .longrope(
        short: try factors("short_factor"), long: try factors("long_factor"),
        originalContext: first,
        attentionFactor: try field["attention_factor"]?.positive()
          ?? RotaryScaling.longropeAttention(factor: factor, originalContext: first))
    case "linear":
      let factor = try field.required("factor").positive()
      return factor == 1 ? .none : .linear(factor: factor)
    case "llama3":
      let (low, high) = (
        try field.required("low_freq_factor").positive(),
        try field.required("high_freq_factor").positive()
      )
      guard low < high else {
        throw LabError(
          .badData, "the frequency factors are in the wrong order",
          at: "\(field.place).high_freq_factor", expected: "above low_freq_factor, \(low)",
          got: "\(high)")
      }
      return .llama3(
        factor: try field.required("factor").positive(), lowFrequencyFactor: low,
        highFrequencyFactor: high,
        originalContext: try field.required("original_max_position_embeddings")
          .integer(in: 1...(1 << 26)))
    case let kind:
      throw LabError(
        .badData, "the rotary scaling '\(kind)' is not supported",
        at: "\(field.place).rope_type", expected: "default, linear, llama3, yarn or longrope",
        got: kind,
        advice: "without it this would be another model; use a checkpoint without it")
    }
  }
}
