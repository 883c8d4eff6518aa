/// What a person needs to know about something that went wrong: what, where, what was expected,
/// what was found, and what to do next.
///
/// Every error that can reach a user is one of these, so that the command prints all of them alike
/// and ends with the exit code of their kind.
public struct LabError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The class of failure; decides the exit code (sysexits where one fits).
  public enum Kind: Int32, Sendable, Equatable {
    /// A run failed for a reason that is none of the others.
    case failure = 1
    /// A comparison ended outside its tolerance.
    case verdict = 2
    /// The command line or an argument is wrong.
    case usage = 64
    /// Input was read and is malformed, hostile or inconsistent.
    case badData = 65
    /// An input file, model or data set is not there.
    case missingInput = 66
    /// A broken promise of the lab itself.
    case internalError = 70
    /// An output could not be written; the exit code is that of a failed run.
    case cannotCreate = 73
    /// A signal asked to stop: Ctrl-C, or one of its kin (`Interruption`).
    case interrupted = 130
  }

  /// What went wrong, for programs and tests: texts are for people and change.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// A word or a few with dots between.
    public let rawValue: String

    /// A code.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing more is known than the kind of the error.
    public static let other = Code(rawValue: "other")
    /// A name that no list has.
    public static let unknownName = Code(rawValue: "name.unknown")
    /// A name that is taken.
    public static let duplicateName = Code(rawValue: "name.duplicate")
    /// A name that cannot stand where names stand.
    public static let badName = Code(rawValue: "name.bad")
    /// A parameter that does not exist, or a value out of its range.
    public static let badParameter = Code(rawValue: "parameter.bad")
    /// A stage that cannot run on this machine.
    public static let unavailable = Code(rawValue: "stage.unavailable")
    /// Weights or activations of a form that a stage does not take.
    public static let wrongForm = Code(rawValue: "form.wrong")
    /// A shape that a stage does not take.
    public static let wrongShape = Code(rawValue: "shape.wrong")
    /// Code from outside that broke a law of its stage.
    public static let brokenLaw = Code(rawValue: "plugin.law")
    /// Code from outside that crashed or hung.
    public static let crashed = Code(rawValue: "plugin.crash")
    /// Code from outside that does not compile or load.
    public static let notBuilt = Code(rawValue: "plugin.build")
  }

  /// The class of failure.
  public var kind: Kind
  /// What went wrong, for programs.
  public var code: Code
  /// One sentence: what is wrong.
  public var what: String
  /// `file:line:column`, key path, or tensor name.
  public var place: String?
  /// What would have been right.
  public var expected: String?
  /// What was there instead.
  public var got: String?
  /// What to do next.
  public var advice: String?

  /// Creates an error; give every part that is known.
  public init(
    _ kind: Kind, _ what: String, at place: String? = nil, expected: String? = nil,
    got: String? = nil, advice: String? = nil, code: Code = .other
  ) {
    self.kind = kind
    self.code = code
    self.what = what
    self.place = place
    self.expected = expected
    self.got = got
    self.advice = advice
  }

  /// The process exit code for this error: 0 all well, 1 failed, 2 outside a tolerance, 64 usage,
  /// 65 bad data, 66 missing input, 70 internal, 128 and the number of the signal that asked to
  /// stop (130 Ctrl-C).
  public var exitCode: Int32 {
    switch kind {
    case .cannotCreate: Kind.failure.rawValue
    case .interrupted: Interruption.exitCode
    default: kind.rawValue
    }
  }

  /// `place: what`, then indented lines for expected, got and the advice; each cut to `shownBytes`.
  /// The parts may quote what a file holds: they are shown as `VisibleText`, and a line within one
  /// is indented, so that none can pass for a line of ours.
  public var description: String {
    var lines = [Self.shown(place.map { "\(VisibleText.line($0)): \(what)" } ?? what)]
    if let expected { lines.append("  expected: \(Self.shown(expected))") }
    if let got { lines.append("  got: \(Self.shown(got))") }
    if let advice { lines.append("  next: \(Self.shown(advice))") }
    return lines.joined(separator: "\n")
  }

  private static func shown(_ part: String) -> String {
    let lines = VisibleText.lines(cut(part)).split(
      separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().map { index, line in
      index == 0 || line.hasPrefix("    ") ? String(line) : "    " + line
    }.joined(separator: "\n")
  }

  /// The same error seen from further out: `place` in front of the place it already has.
  public func inside(_ outer: String) -> LabError {
    var copy = self
    copy.place = place.map { "\(outer): \($0)" } ?? outer
    return copy
  }
}

/// Several problems found in one pass over an input, reported together.
public struct LabErrors: Error, Sendable, Equatable, CustomStringConvertible {
  /// The problems, in the order of the input.
  public var problems: [LabError]
  /// How many more there are, which nobody kept.
  public var omitted: Int

  /// Wraps a non-empty list of problems; `omitted` more were found.
  public init(_ problems: [LabError], omitted: Int = 0) {
    self.problems = problems
    self.omitted = omitted
  }

  /// The exit code of the first problem.
  public var exitCode: Int32 { problems.first?.exitCode ?? LabError.Kind.failure.rawValue }

  /// The problems, one after the other, at most `shownProblems` of them, and their count.
  public var description: String { shownDescription }
}
