public import TritAttention
public import TritCore
public import TritDrawing
public import TritKernels
public import TritQuantization
public import TritSampling

/// Whether a claim holds, and why not.
public struct Verdict: Sendable, Displayable, CustomStringConvertible {
  /// What is claimed: `kernel 'mine' keeps the laws of kernels`.
  public var claim: String
  /// What speaks against it; empty where it holds.
  public var evidence: [String]
  /// Whether it holds.
  public var holds: Bool { evidence.isEmpty }

  /// A verdict on `claim`.
  public init(_ claim: String, evidence: [String] = []) {
    self.claim = claim
    self.evidence = evidence
  }

  /// `CHECK PASS: …`, or `CHECK FAIL: …` with the evidence.
  public var description: String {
    guard !holds else { return "CHECK PASS: \(claim)" }
    var lines = ["CHECK FAIL: \(claim)"] + evidence.prefix(6).map { "  " + $0 }
    if evidence.count > 6 { lines.append("  … and \(evidence.count - 6) more") }
    return lines.joined(separator: "\n")
  }

  /// Its description.
  public var displayData: DisplayData { DisplayData(plain: description) }

  init(_ claim: String, _ violations: [LawViolation]) {
    self.init(claim, evidence: violations.map(\.description))
  }
}

/// Shows the verdict, and throws where the claim does not hold: the notebook fails there.
public func require(_ verdict: Verdict) throws {
  display(verdict)
  guard !verdict.holds else { return }
  throw LabError(
    .verdict, "a check failed: \(verdict.claim)", got: verdict.evidence.first, code: .brokenLaw)
}

/// Prints `CHECK PASS` and the claim where `holds`; throws where it does not, and the notebook
/// fails there. `got` says what is so instead.
public func require(
  _ holds: Bool, _ claim: String, got: @autoclosure () -> Any? = nil
) throws {
  let found = holds ? nil : got().map { looks($0).plain }
  try require(Verdict(claim, evidence: holds ? [] : [found ?? "it does not hold"]))
}

/// Violations that a check tells at most.
private let mostViolations = 8

/// Whether a kernel keeps the laws of kernels: exact sums in any split, for any shape that it
/// takes.
public func check(_ kernel: any LinearKernel) -> Verdict {
  Verdict(
    "kernel '\(kernel.name)' keeps the laws of kernels",
    checkLinearKernel(kernel, limit: mostViolations))
}

/// Whether a weight quantizer keeps the laws of quantizers.
public func check(_ quantizer: any WeightQuantizer) -> Verdict {
  Verdict(
    "quantizer '\(quantizer.name)' keeps the laws of weight quantizers",
    checkWeightQuantizer(quantizer))
}

/// Whether an activation quantizer keeps the laws of activation quantizers.
public func check(_ activations: any ActivationQuantizer) -> Verdict {
  Verdict(
    "'\(activations.name)' keeps the laws of activation quantizers",
    checkActivationQuantizer(activations))
}

/// Whether what the lab has under `name` keeps the laws of its kind (`kernel`, `packing`,
/// `attention`, `cache`, `head`, `processor`, `sampler`…). Throws a usage error for a kind or a
/// name that the lab does not have.
public func check(_ kind: String, _ name: String) throws -> Verdict {
  let key = StageKey(rawValue: kind)
  try lab.validate(key, StageChoice(name))
  return Verdict(
    "\(kind) '\(name)' keeps the laws of its kind", try lab.violations(of: key, name))
}
