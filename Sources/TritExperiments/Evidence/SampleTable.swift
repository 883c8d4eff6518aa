internal import TritCore
public import TritEvaluation

/// What a measure saw unit by unit: the loss of every scored window, the outcome of every question.
/// Differences between variants are made of it, in pairs.
public struct SampleTable: Sendable, Codable, Equatable {
  /// What a unit is: `window` or `question`.
  public var unit: String
  /// Digest of the units themselves (the tokens of windows, the texts of questions): only equal
  /// units make pairs.
  public var content: String
  /// Columns by name, in the order of the units. Kept as 32-bit floats.
  public var columns: [String: [Double]]
  /// What the units belong to, where they are of several things.
  public var parts: SampleParts?

  /// A table.
  public init(unit: String, content: String, columns: [String: [Double]]) {
    self.unit = unit
    self.content = content
    self.columns = columns
  }

  /// The digest of windows that have these fingerprints (`[ScoringWindow].fingerprints`).
  static func content(_ prints: [Double]) -> String {
    SHA256.hex(prints.map { "\($0)" }.joined(separator: " "))
  }
}

/// A quantity that a measure tells unit by unit, so that two variants can be compared in pairs.
public struct PairedQuantity: Sendable {
  /// What a unit's value is.
  public enum Form: Sendable, Hashable {
    /// A mean over the unit's weight, which `weights` tells: told on this scale. Units of the same
    /// number in the column `group`, where there is one, are one draw.
    case mean(weights: String, DifferenceScale, group: String? = nil)
    /// 0 or 1: told in points. Units of the same number in the column `group`, where there is one,
    /// belong together.
    case outcome(group: String?)
  }

  /// The name for flags and files: `perplexity`.
  public let key: String
  /// For people: `Perplexity`.
  public let title: String
  /// The section of `measure` whose samples it is made of.
  public let section: String
  /// The column.
  public let column: String
  /// The metric that it is the difference of, `section.name`: its column of the table stands before
  /// the difference's.
  public let metric: String
  /// What the values are.
  public let form: Form
  /// Whether less is better.
  public let lowerIsBetter: Bool
  /// Where it is of a part of the units or a mean over parts (`SampleParts`): its name; nil for all
  /// units.
  var part: String?
  /// Where it is told.
  var standing: Standing = .leading

  /// A quantity of the measure `section`.
  public init(
    key: String, title: String, section: String, column: String, metric: String, form: Form,
    lowerIsBetter: Bool
  ) {
    self.key = key
    self.title = title
    self.section = section
    self.column = column
    self.metric = metric
    self.form = form
    self.lowerIsBetter = lowerIsBetter
  }

  /// What differences are told in.
  public var scale: DifferenceScale {
    switch form {
    case .mean(_, let scale, _): scale
    case .outcome: .points
    }
  }

  /// The unit of differences: `%`, `points`.
  public var unit: String { scale.unit }

  /// Documents from which on they are what was drawn. An error over few clusters is itself hardly
  /// known (Cameron & Miller, "A practitioner's guide to cluster-robust inference", Journal of Human
  /// Resources 50, 2015, §VI), and of fewer than these nobody would speak for others: then windows
  /// are drawn, and what is told is about these documents.
  static let leastDocuments = 10

  /// The entry of each unit in the column `group` of either table; nil where neither has it. Throws
  /// `badData` for entries that are no numbers of anything.
  private func groups(
    _ group: String?, _ variant: SampleTable, _ baseline: SampleTable
  ) throws -> [Int]? {
    guard let group, let values = baseline.columns[group] ?? variant.columns[group] else {
      return nil
    }
    return try values.map { value in
      guard let number = Int(exactly: value) else {
        throw LabError(
          .badData, "the samples name no groups of units", at: "\(section).\(group)",
          expected: "whole numbers", got: "\(value)",
          advice: "measure again: the file of samples is damaged")
      }
      return number
    }
  }

  /// The difference of a variant's samples to a baseline's. Throws `badData` where they are of
  /// other units.
  package func difference(_ variant: SampleTable, _ baseline: SampleTable) throws
    -> PairedDifference
  {
    if let told = try differenceOfParts(variant, baseline) { return told }
    guard variant.content == baseline.content, variant.unit == baseline.unit else {
      throw LabError(
        .badData, "the two runs saw other \(baseline.unit)s, which make no pairs",
        expected: "\(baseline.unit)s of digest \(baseline.content.prefix(10))",
        got: "\(variant.unit)s of digest \(variant.content.prefix(10))",
        advice:
          "run both on the same text or questions, with the same settings and the same tokenizer")
    }
    func column(_ name: String, _ table: SampleTable) throws -> [Double] {
      guard let values = table.columns[name] else {
        throw LabError(
          .badData, "the samples have no column '\(name)'", expected: "\(section).\(name)",
          got: table.columns.keys.sorted().joined(separator: ", "))
      }
      return values
    }
    let (a, b) = (try column(self.column, variant), try column(self.column, baseline))
    switch form {
    case .mean(let weights, let scale, let group):
      let documents = try groups(group, variant, baseline)
      return try PairedDifference(
        variant: a, baseline: b, weights: column(weights, baseline),
        clusters: documents.flatMap { Set($0).count < Self.leastDocuments ? nil : $0 },
        scale: scale)
    case .outcome(let group):
      for value in a + b where value != 0 && value != 1 {
        throw LabError(
          .badData, "the samples have an outcome that is neither right nor wrong",
          at: "\(section).\(self.column)", expected: "0 or 1", got: "\(value)",
          advice: "measure again: the file of samples is damaged")
      }
      return try PairedDifference(
        variant: a.map { $0 == 1 }, baseline: b.map { $0 == 1 },
        clusters: groups(group, variant, baseline))
    }
  }
}
