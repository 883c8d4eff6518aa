/// What a stage's parameter is called, what it may be, and what it is when not given.
public struct ParameterDescriptor: Sendable {
  /// What values are legal.
  public enum Domain: Sendable {
    /// Whole numbers in a range.
    case integer(ClosedRange<Int>)
    /// Real numbers in a range.
    case real(ClosedRange<Double>)
    /// One of these words.
    case choice([String])
    /// true or false.
    case flag
    /// Any text, of the form that the words tell.
    case text(String)
  }

  /// The key in files and flags.
  public let name: String
  /// One line: what it does, with its unit.
  public let summary: String
  /// Legal values.
  public let domain: Domain
  /// The value when none is given.
  public let defaultValue: ParameterValue
  /// Beside which other parameter it has an effect; nil where it always has.
  public let condition: Condition?

  /// Another parameter that must have one of some values, lest this one has no effect: then it is
  /// refused.
  public struct Condition: Sendable {
    /// The other parameter.
    public let name: String
    /// Its values beside which this one has an effect.
    public let values: [String]
    /// Whether this one stands for such a value where the other is not given.
    public let isImplied: Bool

    /// A condition.
    public init(_ name: String, is values: [String], isImplied: Bool = false) {
      self.name = name
      self.values = values
      self.isImplied = isImplied
    }
  }

  /// Describes a parameter.
  public init(
    _ name: String, _ summary: String, _ domain: Domain, default: ParameterValue,
    onlyWhere condition: Condition? = nil
  ) {
    self.name = name
    self.summary = summary
    self.domain = domain
    defaultValue = `default`
    self.condition = condition
  }

  /// The legal values in words.
  public var domainText: String {
    switch domain {
    case .integer(let range): "integer \(range.lowerBound)…\(range.upperBound)"
    case .real(let range): "number \(range.lowerBound)…\(range.upperBound)"
    case .choice(let words): words.joined(separator: " | ")
    case .flag: "true | false"
    case .text(let form): form
    }
  }

  /// Whether `value` is legal.
  public func accepts(_ value: ParameterValue) -> Bool {
    switch (domain, value) {
    case (.integer(let range), .integer(let number)): range.contains(number)
    case (.real(let range), _): value.asReal.map(range.contains) ?? false
    case (.choice(let words), _): words.contains(value.description)
    case (.flag, .flag), (.text, .text): true
    default: false
    }
  }
}

/// Whether a stage keeps the model's arithmetic exactly.
public enum Exactness: Sendable, Hashable {
  /// Same integers as the oracle, bit for bit.
  case lossless
  /// An approximation, and how large its error may be.
  case lossy(String)

  /// `lossless`, or `lossy: bound`.
  public var text: String {
    switch self {
    case .lossless: "lossless"
    case .lossy(let bound): "lossy: \(bound)"
    }
  }
}

/// Whose code a stage is. What is not the lab's own has a digest, which is part of every record
/// that used it.
public enum StageOrigin: Sendable, Hashable {
  /// The lab's own.
  case builtIn
  /// Linked into the program by another package: its name.
  case package(String)
  /// Compiled from a file when the program started: its path, and the SHA-256 of what was compiled
  /// in hex.
  case plugin(path: String, digest: String)

  /// `built in`, `package NAME`, or `FILE (digest 0123456789ab)`.
  public var text: String {
    switch self {
    case .builtIn: "built in"
    case .package(let name): "package \(name)"
    case .plugin(let path, let digest): "\(path) (digest \(digest.prefix(12)))"
    }
  }

  /// What a record keeps of it: empty for the lab's own, whose digest is the program's.
  public var identity: String {
    switch self {
    case .builtIn: ""
    case .package(let name): "package \(name)"
    case .plugin(_, let digest): "sha256:\(digest)"
    }
  }
}

/// What a registry knows about one implementation of a stage; listings, messages, validation and
/// the schema of experiment files are made from it.
public struct StageDescriptor: Sendable {
  /// The name in files and flags.
  public let name: String
  /// Other names that are accepted.
  public let aliases: [String]
  /// One line: what it does.
  public let summary: String
  /// Paper and equation, or format and file.
  public let source: String
  /// Its parameters.
  public let parameters: [ParameterDescriptor]
  /// What goes in, in words.
  public let accepts: String
  /// What comes out, in words.
  public let gives: String
  /// Instruction sets it needs; empty means any CPU.
  public let instructionSets: [String]
  /// Whether it is exact.
  public let exactness: Exactness
  /// nil where it runs here, else why not.
  public let unavailable: String?
  /// What choosers have to know of a kernel; nil for other stages, and for kernels that choose
  /// themselves.
  public let kernel: KernelFacts?
  /// Whose code it is.
  public var origin: StageOrigin

  /// Describes an implementation.
  public init(
    _ name: String, aliases: [String] = [], summary: String, source: String,
    parameters: [ParameterDescriptor] = [], accepts: String = "", gives: String = "",
    instructionSets: [String] = [], exactness: Exactness = .lossless, unavailable: String? = nil,
    kernel: KernelFacts? = nil, origin: StageOrigin = .builtIn
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.source = source
    self.parameters = parameters
    self.accepts = accepts
    self.gives = gives
    self.instructionSets = instructionSets
    self.exactness = exactness
    self.unavailable = unavailable
    self.kernel = kernel
    self.origin = origin
  }
}

extension StageDescriptor {
  /// The first parameter that `choice` gives and that has no effect beside the others, with the
  /// error: one that is ignored in silence would make two names of one thing. nil where there is
  /// none.
  package func withoutEffect(_ choice: StageChoice, stage: String) -> (
    parameter: String, error: LabError
  )? {
    for parameter in parameters {
      guard let condition = parameter.condition, let value = choice.parameters[parameter.name],
        value != parameter.defaultValue,
        let other = parameters.first(where: { $0.name == condition.name })
      else { continue }
      let given = choice.parameters[condition.name]
      if given == nil, condition.isImplied { continue }
      let beside = (given ?? other.defaultValue).description
      guard !condition.values.contains(beside) else { continue }
      let needed = condition.values.map { "\(condition.name)=\($0)" }
      return (
        parameter.name,
        LabError(
          .usage,
          "the parameter '\(parameter.name)' of \(stage) '\(choice.name)' has no effect beside "
            + "\(condition.name)=\(beside)",
          expected: "\(parameter.name) with \(needed.joined(separator: " or ")), "
            + "or no \(parameter.name)",
          got: "\(parameter.name)=\(value)", code: .badParameter)
      )
    }
    return nil
  }
}
