internal import TritCore

/// Some variants of a plan: all that are asked for by every part that is given.
public struct VariantSelection: Sendable, Equatable {
  /// The variant of this number, from 0, as job arrays count.
  public var index: Int?
  /// Every `count`-th variant, this share of them; `number` counts from 1.
  public var shard: Shard?
  /// Globs over labels (`*` and `?`), of which one has to match; empty is any label.
  public var labels: [String] = []

  /// A share of the variants.
  public struct Shard: Sendable, Equatable {
    /// Which, from 1.
    public var number: Int
    /// Of how many.
    public var count: Int

    /// Share `number` of `count`.
    public init(number: Int, count: Int) {
      self.number = number
      self.count = count
    }

    /// Reads `2/8`; nil for anything else, and for shares that there are not.
    public init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]),
        (1...1_000_000).contains(count), (1...count).contains(number)
      else { return nil }
      self.init(number: number, count: count)
    }
  }

  /// All variants.
  public init() {}

  /// Whether all variants are selected.
  public var isAll: Bool { self == VariantSelection() }
}

extension ExperimentPlan {
  /// The plan with the selected variants alone, under their numbers. Throws a usage error where
  /// there is none.
  public func selecting(_ selection: VariantSelection) throws -> ExperimentPlan {
    guard !selection.isAll else { return self }
    var plan = self
    if let index = selection.index {
      guard all.indices.contains(index) else {
        throw LabError(
          .usage, "the experiment has no variant of that number", at: "--index",
          expected: "0…\(all.count - 1)", got: "\(index)",
          advice: "'trit run FILE --list' shows all")
      }
      plan.variants = plan.variants.filter { $0.index == index }
    }
    if let shard = selection.shard {
      plan.variants = plan.variants.filter { $0.index % shard.count == shard.number - 1 }
    }
    if !selection.labels.isEmpty {
      let globs = selection.labels.map { NameGlob($0) }
      plan.variants = plan.variants.filter { variant in
        globs.contains { $0.matches(variant.label) }
      }
    }
    guard plan.variants.isEmpty else { return plan }
    if !selection.labels.isEmpty {
      let labels = all.map(\.label)
      throw LabError(
        .usage, "no variant has such a label", at: "--only",
        expected: labels.prefix(8).joined(separator: ", ") + (labels.count > 8 ? ", …" : ""),
        got: selection.labels.joined(separator: ", "),
        advice: Suggestion.didYouMean(selection.labels[0], labels)
          ?? "put * where anything may stand: --only '*int8*'")
    }
    let shard = selection.shard.map { "\($0.number)/\($0.count)" } ?? ""
    throw LabError(
      .usage, "no variant is in this share", at: "--shard",
      expected: "a share of at most \(all.count) variants", got: shard)
  }

  /// What is measured on a variant: the sections of the file, with the variant's seed. Of a variant
  /// with published figures, those that tell them.
  func sections(of variant: PlannedVariant) -> [Measurements.Section] {
    let told = Set(variant.published.map(\.section))
    let sections = file.measure.sections.filter { told.isEmpty || told.contains($0.key) }
    guard let seed = variant.settings.seed else { return sections }
    // What was read with one seed is read with another.
    return sections.map { (try? $0.seeded(seed)) ?? $0 }
  }
}
