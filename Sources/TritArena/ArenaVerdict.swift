/// What the arena looks at, in the order in which it does.
public enum ArenaCheck: String, Codable, Sendable, CaseIterable {
  /// The process that the kernel runs in lives to the end.
  case survival
  /// Nothing beside the kernel's own buffers is read or written; its inputs stay as they are.
  case bounds
  /// The laws of kernels hold (`checkLinearKernel`).
  case laws
  /// Each call computes its own product: nothing is kept of other calls or layers, nothing is
  /// handed through, and scratch is written before it is read.
  case freshness
  /// Shapes that nobody knew beforehand are computed too.
  case shapes
  /// The layer's bytes are no fewer than random trits need, and no more than it owns.
  case bytes
  /// No thread works but those that call the kernel, and no other process.
  case threads
  /// No other kernel or library computes in its place.
  case library
  /// All clocks agree, those of the parent included.
  case clock
  /// Every timed output is the product of its inputs.
  case outputs
  /// Nothing is faster than the machine allows.
  case floor

  /// What it means, as a sentence.
  public var summary: String {
    switch self {
    case .survival: "the kernel's process lives to the end"
    case .bounds: "nothing beside its buffers is read or written"
    case .laws: "the laws of kernels hold"
    case .freshness: "each call computes its own product"
    case .shapes: "shapes that nobody knew beforehand are computed too"
    case .bytes: "its bytes are no fewer than trits need, no more than it owns"
    case .threads: "no thread works but those that call it"
    case .library: "no other kernel or library computes in its place"
    case .clock: "all clocks agree"
    case .outputs: "every timed output is the product of its inputs"
    case .floor: "nothing is faster than the machine allows"
    }
  }
}

/// What one check found.
public struct ArenaVerdict: Codable, Sendable, Equatable, CustomStringConvertible {
  /// The check.
  public var check: ArenaCheck
  /// Whether it passed.
  public var isFine: Bool
  /// What was found; empty where it passed and there is nothing to say.
  public var found: String
  /// `file:line:column` of the kernel's source, where known.
  public var place: String?

  /// A verdict.
  public init(_ check: ArenaCheck, isFine: Bool, found: String = "", place: String? = nil) {
    self.check = check
    self.isFine = isFine
    self.found = found
    self.place = place
  }

  /// `PASS bounds`, or `FAIL bounds: what was found (file:line)`.
  public var description: String {
    let words = found.isEmpty ? check.summary : found
    let source = place.map { " (\($0))" } ?? ""
    return "\(isFine ? "PASS" : "FAIL") \(check.rawValue): \(words)\(source)"
  }
}
