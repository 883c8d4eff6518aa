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
  }

  /// The key in files and flags.
  public let name: String
  /// One line: what it does, with its unit.
  public let summary: String
  /// Legal values.
  public let domain: Domain
  /// The value when none is given.
  public let defaultValue: ParameterValue

  /// Describes a parameter.
  public init(_ name: String, _ summary: String, _ domain: Domain, default: ParameterValue) {
    self.name = name
    self.summary = summary
    self.domain = domain
    defaultValue = `default`
  }

  /// The legal values in words.
  public var domainText: String {
    switch domain {
    case .integer(let range): "integer \(range.lowerBound)…\(range.upperBound)"
    case .real(let range): "number \(range.lowerBound)…\(range.upperBound)"
    case .choice(let words): words.joined(separator: " | ")
    case .flag: "true | false"
    }
  }

  /// Whether `value` is legal.
  public func accepts(_ value: ParameterValue) -> Bool {
    switch (domain, value) {
    case (.integer(let range), .integer(let number)): range.contains(number)
    case (.real(let range), _): value.asReal.map(range.contains) ?? false
    case (.choice(let words), _): words.contains(value.description)
    case (.flag, .flag): true
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

/// What a registry knows about one implementation of a stage; listings, messages, validation and the
/// schema of experiment files are made from it.
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
  /// What choosers have to know of a kernel; nil for other stages, and for kernels that choose themselves.
  public let kernel: KernelFacts?

  /// Describes an implementation.
  public init(
    _ name: String, aliases: [String] = [], summary: String, source: String,
    parameters: [ParameterDescriptor] = [], accepts: String = "", gives: String = "",
    instructionSets: [String] = [], exactness: Exactness = .lossless, unavailable: String? = nil,
    kernel: KernelFacts? = nil
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
  }
}

/// Values for every parameter of one choice, checked against its descriptor, defaults filled in.
public struct ResolvedParameters: Sendable {
  private let values: [String: ParameterValue]

  init(values: [String: ParameterValue]) { self.values = values }

  /// A whole number.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value)? = values[name] else { unregistered(name) }
    return value
  }

  /// A real number; whole numbers count.
  public func real(_ name: String) -> Double {
    guard let value = values[name]?.asReal else { unregistered(name) }
    return value
  }

  /// A word.
  public func text(_ name: String) -> String {
    guard let value = values[name] else { unregistered(name) }
    return value.description
  }

  /// A switch.
  public func flag(_ name: String) -> Bool {
    guard case .flag(let value)? = values[name] else { unregistered(name) }
    return value
  }

  private func unregistered(_ name: String) -> Never {
    preconditionFailure("a factory asked for the parameter '\(name)' that its descriptor lacks")
  }
}

/// The implementations of one stage by name. A plain value: made once, extended by whoever wants to add
/// a stage, passed to whoever resolves names.
public struct Registry<Product: Sendable>: Sendable {
  private struct Entry: Sendable {
    let descriptor: StageDescriptor
    let make: @Sendable (ResolvedParameters) throws -> Product
  }

  /// The stage, in the singular: `weight quantizer`, `kernel`.
  public let stage: String
  /// The key of the stage in files and flags: `quantizer`, `kernel`.
  public let key: String
  private var entries: [Entry] = []

  /// An empty registry.
  public init(stage: String, key: String) {
    self.stage = stage
    self.key = key
  }

  /// Adds an implementation; a name that is taken is replaced (reference first, overrides after).
  public mutating func register(
    _ descriptor: StageDescriptor,
    make: @escaping @Sendable (ResolvedParameters) throws -> Product
  ) {
    entries.removeAll { $0.descriptor.name == descriptor.name }
    entries.append(Entry(descriptor: descriptor, make: make))
  }

  /// All implementations, in the order of registration.
  public var descriptors: [StageDescriptor] { entries.map(\.descriptor) }

  /// All names, in the order of registration.
  public var names: [String] { entries.map(\.descriptor.name) }

  /// Every implementation that runs on this machine, made with default parameters.
  public func available() -> [(name: String, product: Product)] {
    entries.compactMap { entry in
      guard entry.descriptor.unavailable == nil,
        let product = try? make(StageChoice(entry.descriptor.name))
      else { return nil }
      return (entry.descriptor.name, product)
    }
  }

  /// The descriptor called `name`, else the first that has it as an alias.
  public func descriptor(_ name: String) -> StageDescriptor? {
    let entry =
      entries.first { $0.descriptor.name == name }
      ?? entries.first { $0.descriptor.aliases.contains(name) }
    return entry?.descriptor
  }

  /// Makes what `choice` names. Throws a usage error that suggests the nearest name, names the bad
  /// parameter, or says why the implementation cannot run here.
  public func make(_ choice: StageChoice) throws -> Product {
    let descriptor = try validate(choice)
    if let reason = descriptor.unavailable {
      throw LabError(
        .usage, "\(stage) '\(choice.name)' cannot run here: \(reason)",
        advice: "choose one of: "
          + entries.filter { $0.descriptor.unavailable == nil }.map(\.descriptor.name)
          .joined(separator: ", "))
    }
    var values: [String: ParameterValue] = [:]
    for parameter in descriptor.parameters {
      values[parameter.name] = choice.parameters[parameter.name] ?? parameter.defaultValue
    }
    guard let entry = entries.first(where: { $0.descriptor.name == descriptor.name }) else {
      preconditionFailure("validated name '\(descriptor.name)' is not registered")
    }
    return try entry.make(ResolvedParameters(values: values))
  }

  /// Checks name and parameters of `choice` without making anything.
  @discardableResult public func validate(_ choice: StageChoice) throws -> StageDescriptor {
    guard let descriptor = descriptor(choice.name) else {
      throw LabError(
        .usage, "unknown \(stage) '\(choice.name)'", expected: names.joined(separator: ", "),
        advice: Suggestion.didYouMean(choice.name, names))
    }
    for (name, value) in choice.parameters.sorted(by: { $0.key < $1.key }) {
      guard let parameter = descriptor.parameters.first(where: { $0.name == name }) else {
        let known = descriptor.parameters.map(\.name)
        throw LabError(
          .usage, "\(stage) '\(choice.name)' has no parameter '\(name)'",
          expected: known.isEmpty ? "no parameters" : known.joined(separator: ", "),
          advice: Suggestion.didYouMean(name, known))
      }
      guard parameter.accepts(value) else {
        throw LabError(
          .usage, "bad value for the parameter '\(name)' of \(stage) '\(choice.name)'",
          expected: parameter.domainText, got: value.description)
      }
    }
    return descriptor
  }
}
