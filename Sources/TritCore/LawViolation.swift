/// A law of a stage that an implementation broke, with the case that shows it.
///
/// Law checkers (`checkPacking`, `checkLinearKernel`, …) return these, so that a test, the command
/// and an outside package can all use the same checker.
public struct LawViolation: Sendable, CustomStringConvertible {
  /// The law, as a sentence.
  public let law: String
  /// The case that broke it: shape, seed, values.
  public let evidence: String

  /// Records that `law` was broken by `evidence`.
  public init(_ law: String, _ evidence: String) {
    self.law = law
    self.evidence = evidence
  }

  /// `law: evidence`.
  public var description: String { "\(law): \(evidence)" }
}
