import Foundation
import TritCore
import TritFormats

extension DoctorSubject {
  /// `a, b and 3 more`.
  static func some(_ names: [String], most: Int = 4) -> String {
    let rest = names.count - most
    return names.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  /// Tensors that are damaged: zeros, NaN, ends of a range, codes that stand for nothing.
  func weightFindings(_ tensors: [TensorSummary]) -> [ModelFinding] {
    var findings: [ModelFinding] = []
    func add(
      _ check: DoctorCheck, _ found: [TensorSummary], _ what: String,
      mend: String, evidence: (TensorSummary) -> String
    ) {
      guard let first = found.first else { return }
      findings.append(
        ModelFinding(
          check, at: Self.some(found.map(\.info.name)),
          "\(found.count == 1 ? "a tensor" : "\(found.count) tensors") \(what)",
          evidence: "\(first.info.name): \(evidence(first))", mend: mend))
    }
    let again =
      "get the file again and compare its SHA-256 with the publisher's; if it is the same, convert the "
      + "model again"
    add(
      .notFinite, tensors.filter { $0.nan + $0.infinite > 0 },
      "with NaN or infinity: every logit becomes NaN", mend: again
    ) { "\($0.nan) NaN and \($0.infinite) infinite of \($0.count) values" }
    add(
      .zeros, tensors.filter { isDead($0) },
      "with nothing but zeros: the layer gives nothing", mend: again
    ) { "\($0.count) values \($0.info.type.name), all 0" }
    add(
      .codes, tensors.filter { hasIllegalCodes($0) },
      "with codes that stand for no trit: they are no packed ternary weights, or damaged",
      mend: again
    ) { $0.problem.map { [$0.what, $0.got].compactMap(\.self).joined(separator: ", ") } ?? "" }
    add(
      .saturated, tensors.filter { isSaturated($0, of: tensors) },
      "with nothing but ends of the range: what was finer is lost",
      mend:
        "convert the model again from its masters; values too large for float16 need bfloat16 or float32"
    ) { summary in
      if summary.atLimit > 0 {
        return
          "\(summary.atLimit) of \(summary.count) values at the end of \(summary.info.type.name)"
      }
      let trits = summary.trits ?? (0, 0, 0)
      return "trits −1, 0, +1: \(trits.negative), \(trits.zero), \(trits.positive)"
    }
    return findings
  }

  /// Nothing but zeros where a model cannot do without values: matrices and norms, not biases, nor
  /// gains of which 1 is added.
  private func isDead(_ summary: TensorSummary) -> Bool {
    let name = summary.info.name
    guard summary.count > 0, summary.zeros == summary.count, name.hasSuffix(".weight"),
      summary.problem == nil
    else { return false }
    let addsOne = gguf == nil && architecture.lowercased().contains("gemma")
    return summary.info.shape.count > 1 || !addsOne
  }

  private func hasIllegalCodes(_ summary: TensorSummary) -> Bool {
    guard let problem = summary.problem, problem.kind == .badData else { return false }
    if problem.got?.contains("codes 3") == true { return true }
    // A shape that the packing does not take is no damage.
    return TernaryNames.isPacked(summary.info.type) && problem.code == .other
      && summary.info.type != .i2_s && problem.what.contains("code")
  }

  private func isSaturated(_ summary: TensorSummary, of all: [TensorSummary]) -> Bool {
    if summary.atLimit > 0 { return true }
    let isPacked = TernaryNames.isPacked(summary.info.type) || summary.info.type == .u8
    guard isPacked, let trits = summary.trits, summary.count >= 256 else { return false }
    let most = Double(max(trits.negative, trits.positive)) / Double(summary.count)
    if most > 0.98 { return true }
    // A model of signs alone has no zero anywhere; one tensor of them among others has lost them.
    return trits.zero == 0 && all.contains { ($0.trits?.zero ?? 0) > 0 && $0.info != summary.info }
  }

  // MARK: Scales

  /// Scales that are no scales, and scales of the wrong convention.
  func scaleFindings(_ tensors: [TensorSummary]) -> [ModelFinding] {
    var findings: [ModelFinding] = []
    let bad = tensors.filter { badScale($0) != nil }
    if let first = bad.first {
      findings.append(
        ModelFinding(
          .scale, at: Self.some(bad.map(\.info.name)),
          "\(bad.count == 1 ? "a matrix has" : "\(bad.count) matrices have") scales that scale nothing",
          evidence: "\(first.info.name): \(badScale(first) ?? "")",
          mend: "convert the model again from its safetensors: the scale was lost or overwritten"))
    }
    if let finding = convention(tensors.filter { badScale($0) == nil }) { findings.append(finding) }
    return findings
  }

  private func badScale(_ summary: TensorSummary) -> String? {
    let scales = summary.scales
    // What divides is stored the other way round.
    let divides = gguf == nil && scalesDivide
    guard !scales.isEmpty else { return nil }
    if let value = scales.first(where: { !$0.isFinite }) {
      return divides && value.isInfinite ? "a stored scale of 0 divides" : "a scale of \(value)"
    }
    let trits = summary.trits ?? (0, 0, 1)
    let isZero = scales.allSatisfy { $0 == 0 }
    if isZero, trits.negative + trits.positive > 0 || summary.problem != nil {
      return "scales of 0 beside \(trits.negative + trits.positive) trits that are not 0"
    }
    let least = divides ? 1 / Float.greatestFiniteMagnitude : summary.leastNormalScale
    let small = scales.filter { $0 != 0 && $0.magnitude < least }
    guard let value = small.first, Double(small.count) > 0.01 * Double(scales.count) else {
      return nil
    }
    return
      "\(small.count) of \(scales.count) scales are denormal in their type, as \(value): they keep no "
      + "digits, and a CPU that flushes them reads 0"
  }

  /// A layer's outputs are as large as its inputs, give or take: scale · √(inputs that are not 0) is
  /// near 1. Where a scale stands the other way round it is off by the scale's square, some
  /// thousand.
  private func convention(_ tensors: [TensorSummary]) -> ModelFinding? {
    let matrices = tensors.filter { $0.scales.count == 1 && $0.info.shape.count == 2 }
    let gains = matrices.compactMap { summary -> (gain: Double, other: Double, name: String)? in
      guard let trits = summary.trits, trits.negative + trits.positive > 0 else { return nil }
      let scale = Double(summary.scales[0])
      let share = Double(trits.negative + trits.positive) / Double(max(summary.count, 1))
      let root = (share * Double(summary.info.shape[1])).squareRoot()
      return (scale * root, root / scale, summary.info.name)
    }
    let wrong = gains.filter { $0.gain > 30 && abs(log($0.other)) < abs(log($0.gain)) - log(10) }
    guard wrong.count > gains.count / 2, let worst = wrong.max(by: { $0.gain < $1.gain }) else {
      return nil
    }
    func digits(_ value: Double) -> String { String(format: "%.3g", value) }
    let evidence =
      "\(worst.name): its outputs would be \(digits(worst.gain)) times as large as its inputs, with the "
      + "scale the other way round \(digits(worst.other)) times; so in \(wrong.count) of \(gains.count) "
      + "matrices"
    if gguf == nil {
      let (now, then) = scalesDivide ? ("divide", "multiply") : ("multiply", "divide")
      return ModelFinding(
        .scaleConvention, at: "\(path)/config.json: quantization_config.linear_class",
        "weight scales \(now) and were made to \(then)", evidence: evidence,
        mend: scalesDivide
          ? "set quantization_config.linear_class to 'autobitlinear' (microsoft's 2B-4T multiplies)"
          : "set quantization_config.linear_class to 'bitlinear' (Falcon3 and Llama3-8B-1.58 divide)"
      )
    }
    return ModelFinding(
      .scaleConvention, at: Self.some(wrong.map(\.name)),
      "weight scales are the inverse of what they should be: the converter took a scale that divides "
        + "for one that multiplies, or the other way round", evidence: evidence,
      mend:
        "convert again from the safetensors: trit export reads quantization_config.linear_class, which "
        + "says what its scales do")
  }
}
