/// Every stage that can be chosen, by kind: a plain value that is passed to engines, experiments
/// and commands.
///
/// It is the one list. What can be selected, what flags and files accept, what `trit list` shows,
/// what the schema says and what records depend on are made from it. Whoever has more stages adds
/// them to a copy:
/// ```
/// var lab = Lab.standard
/// try lab.add(.kernel, StageDescriptor("mine", summary: "…", source: "…")) { _ in MyKernel() }
/// ```
public struct Lab: Sendable {
  private var shelves: [Shelf] = []
  /// Whose code is added, where a descriptor does not say: set while a plug-in registers its
  /// stages.
  package var guest: StageOrigin = .package("of this program")

  /// A lab without any kind of stage.
  public init() {}

  /// Adds a kind of stage with its implementations. A kind of that key is replaced.
  ///
  /// Throws a usage error for a key or a flag that has another meaning where stages are chosen:
  /// that of an option of the command, a key of experiment files, or a flag of another kind.
  public mutating func install<Product: Sendable>(_ registry: Registry<Product>) throws {
    try checkKey(registry.kind.key, flags: registry.kind.flags)
    place(registry)
  }

  /// The same for a kind of the lab's own, whose names are known to be free.
  package mutating func place<Product: Sendable>(_ registry: Registry<Product>) {
    shelves.removeAll { $0.key == registry.kind.key }
    shelves.append(Shelf(registry))
  }

  /// The implementations of a kind; empty where the lab has no such kind.
  public subscript<Product: Sendable>(kind: StageKind<Product>) -> Registry<Product> {
    shelf(kind.key)?.registry as? Registry<Product> ?? Registry(kind)
  }

  /// Adds an implementation from outside; `auto` and bare names may choose it from now on. Throws a
  /// usage error that names both where its name is taken, and one for a name that cannot stand in a
  /// flag.
  public mutating func add<Product: Sendable>(
    _ kind: StageKind<Product>, _ descriptor: StageDescriptor,
    make: @escaping @Sendable (ResolvedParameters) throws -> Product
  ) throws {
    var registry = self[kind]
    var descriptor = descriptor
    if descriptor.origin == .builtIn { descriptor.origin = guest }
    try registry.add(descriptor, make: make)
    if let index = shelves.firstIndex(where: { $0.key == kind.key }) {
      shelves[index] = Shelf(registry)
    } else {
      try checkKey(kind.key, flags: kind.flags)
      shelves.append(Shelf(registry))
    }
  }

  /// Removes every stage from outside whose descriptor `isGone` says so, of all kinds: what is
  /// written anew, in a cell of a notebook, takes the place of what it was before.
  package mutating func removeGuests(where isGone: (StageDescriptor) -> Bool) {
    for index in shelves.indices
    where shelves[index].information.descriptors.contains(where: isGone) {
      shelves[index] = shelves[index].registry.shelf(withoutGuests: isGone)
    }
  }

  /// Makes what `choice` names. Throws what `Registry.make` throws.
  public func make<Product: Sendable>(_ kind: StageKind<Product>, _ choice: StageChoice) throws
    -> Product
  {
    try self[kind].make(choice)
  }

  /// All kinds, in the order in which they were installed.
  public var kinds: [StageInformation] { shelves.map(\.information) }

  /// The kinds that are chosen in one of `scopes`.
  public func kinds(in scopes: StageScope...) -> [StageInformation] {
    kinds.filter { scopes.contains($0.scope) }
  }

  /// One kind; nil where the lab has none of that key.
  public func kind(_ key: StageKey) -> StageInformation? {
    shelf(key)?.information
  }

  private func shelf(_ key: StageKey) -> Shelf? { shelves.first { $0.key == key } }

  /// The registry of `key`. Throws a usage error for a kind that the lab does not have.
  private func registry(_ key: StageKey) throws -> any AnyRegistry {
    guard let shelf = shelf(key) else {
      throw LabError(
        .usage, "there is no stage '\(key.rawValue)'",
        expected: shelves.map(\.key.rawValue).joined(separator: ", "), code: .unknownName)
    }
    return shelf.registry
  }

  /// Checks the name and the parameters of a choice. Throws what `Registry.validate` throws, and a
  /// usage error for a kind that the lab does not have.
  public func validate(_ key: StageKey, _ choice: StageChoice) throws {
    try registry(key).check(choice)
  }

  /// Makes what is chosen and drops it: parameters may be in range and yet impossible together.
  public func attempt(_ key: StageKey, _ choice: StageChoice) throws {
    try registry(key).attempt(choice)
  }

  /// What an implementation broke of the laws of its kind.
  public func violations(of key: StageKey, _ name: String) throws -> [LawViolation] {
    try shelf(key)?.registry.broken(by: name) ?? []
  }

  /// Whether a kind has laws at all; what a plug-in adds to one that has none would be taken
  /// unproved.
  public func hasLaws(_ key: StageKey) -> Bool {
    shelf(key)?.registry.hasLaws ?? false
  }

  /// Whether `name` stands for others of its kind, as `auto` does.
  public func isDerived(_ key: StageKey, _ name: String) -> Bool {
    shelf(key)?.registry.isDerived(name) ?? false
  }

  /// Everything that is not the lab's own, kind by kind.
  public var guests: [(key: StageKey, descriptor: StageDescriptor)] {
    kinds.flatMap { kind in
      kind.descriptors.filter { $0.origin != .builtIn }.map { (kind.key, $0) }
    }
  }
}

/// A registry, and what it holds, written out once.
private struct Shelf: Sendable {
  let registry: any AnyRegistry
  let information: StageInformation
  var key: StageKey { information.key }

  init<Product: Sendable>(_ registry: Registry<Product>) {
    self.registry = registry
    information = StageInformation(registry)
  }
}

/// A registry without its type.
private protocol AnyRegistry: Sendable {
  func check(_ choice: StageChoice) throws
  func attempt(_ choice: StageChoice) throws
  func isDerived(_ name: String) -> Bool
  var hasLaws: Bool { get }
  func broken(by name: String) throws -> [LawViolation]
  func shelf(withoutGuests isGone: (StageDescriptor) -> Bool) -> Shelf
}

extension Registry: AnyRegistry {
  fileprivate var hasLaws: Bool { kind.laws != nil }
  fileprivate func check(_ choice: StageChoice) throws { try validate(choice) }
  fileprivate func broken(by name: String) throws -> [LawViolation] { try violations(of: name) }
  fileprivate func shelf(withoutGuests isGone: (StageDescriptor) -> Bool) -> Shelf {
    var registry = self
    registry.removeGuests(where: isGone)
    return Shelf(registry)
  }
  fileprivate func attempt(_ choice: StageChoice) throws { _ = try make(choice) }
}
