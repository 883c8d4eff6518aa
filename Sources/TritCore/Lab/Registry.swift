/// The implementations of one kind of stage by name. A plain value: made once, extended by whoever
/// wants to add a stage, passed to whoever resolves names.
public struct Registry<Product: Sendable>: Sendable {
  private struct Entry: Sendable {
    let descriptor: StageDescriptor
    /// Whether it stands for others (`auto`, a packing's bare name) and is made anew when they
    /// change.
    let isDerived: Bool
    let make: @Sendable (ResolvedParameters) throws -> Product
  }

  /// The kind of stage.
  public let kind: StageKind<Product>
  private var entries: [Entry] = []
  private var isSealing = false

  /// An empty registry.
  public init(_ kind: StageKind<Product>) { self.kind = kind }

  /// The stage, in the singular: `weight quantizer`, `kernel`.
  public var stage: String { kind.stage }
  /// The key of the stage in files and flags: `quantizer`, `kernel`.
  public var key: String { kind.key.rawValue }

  /// Adds an implementation of the lab's own; a name can be taken once. `Lab.add` is for those from
  /// outside.
  public mutating func register(
    _ descriptor: StageDescriptor,
    make: @escaping @Sendable (ResolvedParameters) throws -> Product
  ) {
    if names.contains(descriptor.name) {
      // A kernel whose packing has its own name stands for it already.
      if isSealing { return }
      preconditionFailure("\(stage) '\(descriptor.name)' is registered twice")
    }
    entries.append(Entry(descriptor: descriptor, isDerived: isSealing, make: make))
  }

  /// Adds an implementation, and makes those anew that stand for others (`auto`, a packing's bare
  /// name), which may choose it from now on. Throws a usage error that names both where the name is
  /// taken.
  public mutating func add(
    _ descriptor: StageDescriptor,
    make: @escaping @Sendable (ResolvedParameters) throws -> Product
  ) throws {
    try Self.checkName(descriptor, stage: stage)
    if let known = self.descriptor(taking: descriptor) {
      let shared = ([descriptor.name] + descriptor.aliases)
        .first { $0 == known.name || known.aliases.contains($0) }
      throw LabError(
        .usage, "there are two of the \(stage) '\(shared ?? descriptor.name)'",
        expected: "one of each name",
        got: "'\(known.name)' from \(known.origin.text), and '\(descriptor.name)' from "
          + descriptor.origin.text,
        advice: "give yours another name", code: .duplicateName)
    }
    entries.append(Entry(descriptor: descriptor, isDerived: false, make: make))
    seal()
  }

  /// Removes implementations from outside whose descriptor `isGone` says so, and makes those anew
  /// that stand for others.
  package mutating func removeGuests(where isGone: (StageDescriptor) -> Bool) {
    entries.removeAll { $0.descriptor.origin != .builtIn && isGone($0.descriptor) }
    seal()
  }

  /// Adds those that stand for others, from what has been registered.
  public mutating func seal() {
    entries.removeAll(where: \.isDerived)
    isSealing = true
    kind.derive(&self)
    isSealing = false
  }

  /// What has a name or an alias of `descriptor`.
  private func descriptor(taking descriptor: StageDescriptor) -> StageDescriptor? {
    let wanted = [descriptor.name] + descriptor.aliases
    return entries.first { entry in
      wanted.contains(entry.descriptor.name)
        || entry.descriptor.aliases.contains(where: wanted.contains)
    }?.descriptor
  }

  /// Names stand in flags, in files, in tables and in file names: `packing/instructions` at most.
  private static func checkName(_ descriptor: StageDescriptor, stage: String) throws {
    for name in [descriptor.name] + descriptor.aliases {
      let isGood =
        (1...64).contains(name.utf8.count) && name != StageKey.asTheModelSays
        && name.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ".")]
              .contains(byte)
        }
      guard isGood else {
        throw LabError(
          .usage, "'\(name)' is no name for a \(stage)", at: descriptor.origin.text,
          expected: "1 to 64 letters, digits, and '_', '-', '.', '/'; not 'model'", got: name,
          code: .badName)
      }
    }
  }

  /// What the implementation called `name` broke of the laws of its kind; empty where there are
  /// none. Throws what making it throws.
  public func violations(of name: String) throws -> [LawViolation] {
    guard let laws = kind.laws else { return [] }
    return laws(try make(StageChoice(name)))
  }

  /// Whether `name` stands for others, as `auto` does.
  public func isDerived(_ name: String) -> Bool {
    entries.contains { $0.isDerived && $0.descriptor.name == name }
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
          .joined(separator: ", "), code: .unavailable)
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
        advice: Suggestion.didYouMean(choice.name, names), code: .unknownName)
    }
    for (name, value) in choice.parameters.sorted(by: { $0.key < $1.key }) {
      guard let parameter = descriptor.parameters.first(where: { $0.name == name }) else {
        let known = descriptor.parameters.map(\.name)
        throw LabError(
          .usage, "\(stage) '\(choice.name)' has no parameter '\(name)'",
          expected: known.isEmpty ? "no parameters" : known.joined(separator: ", "),
          advice: Suggestion.didYouMean(name, known), code: .badParameter)
      }
      guard parameter.accepts(value) else {
        throw LabError(
          .usage, "bad value for the parameter '\(name)' of \(stage) '\(choice.name)'",
          expected: parameter.domainText, got: value.description, code: .badParameter)
      }
    }
    if let (_, error) = descriptor.withoutEffect(choice, stage: stage) { throw error }
    return descriptor
  }
}
