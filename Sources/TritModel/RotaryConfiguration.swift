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
  /// Rescaling of the frequencies.
  let scaling: RotaryScaling

  /// Reads the top of a `config.json`. Throws `badData` for a wrong type, an unknown form, and
  /// where two places contradict each other.
  init(_ root: JSONField) throws {
    let old = try root["rope_scaling"]?.object()
    let new = try root["rope_parameters"]?.object()
    let scalings = try [old, new].compactMap { $0 }.map { ($0.place, try Self.scaling($0)) }
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

  private static func scaling(_ field: JSONField) throws -> RotaryScaling {
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
    for (key, meaning) in [("partial_rotary_factor", 1.0), ("attention_factor", 1.0)] {
      guard let member = field[key], try member.number() != meaning else { continue }
      throw LabError(
        .badData, "\(key): the lab does not compute it", at: member.place, expected: "\(meaning)",
        got: "\(try member.number())")
    }
    if let member = field["mrope_section"] {
      throw LabError(.badData, "rotation in sections is not supported", at: member.place)
    }
    switch kinds.first?.1 ?? "default" {
    case "default": return .none
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
        at: "\(field.place).rope_type", expected: "default, linear or llama3", got: kind,
        advice: "without it this would be another model; use a checkpoint without it")
    }
  }
}
