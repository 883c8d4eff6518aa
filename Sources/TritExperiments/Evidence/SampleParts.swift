/// What the units of a table belong to: the task of each question, and the means that are told over
/// tasks.
public struct SampleParts: Sendable, Codable, Equatable {
  /// A figure and the column that it is made of.
  public struct Figure: Sendable, Codable, Hashable {
    /// Its name: `acc_norm`.
    public var name: String
    /// The column: `right_norm`.
    public var column: String
  }

  /// Units that stand one behind the other and belong to one task.
  public struct Part: Sendable, Codable, Hashable {
    /// The name: `hellaswag`.
    public var name: String
    /// Digest of its questions and of how they were asked: only equal ones make pairs.
    public var content: String
    /// The place of its first unit in every column.
    public var first: Int
    /// Its units.
    public var count: Int
    /// Its figures, the one that it is told by first.
    public var figures: [Figure]
  }

  /// A mean over parts.
  public struct Mean: Sendable, Codable, Hashable {
    /// The name: `avg5`.
    public var name: String
    /// The names of the parts.
    public var members: [String]
    /// Whether a part counts by its units, not as one.
    public var isWeighted: Bool
    /// Its figures, the one that it is told by first.
    public var figures: [Figure]
  }

  /// The parts, in the order of their units.
  public var parts: [Part]
  /// The means; one stands after those that are over some of its parts.
  public var means: [Mean]

  /// Whether every part lies within `count` units, and every mean is over parts.
  func isSound(count: Int) -> Bool {
    let names = Set(parts.map(\.name))
    return parts.allSatisfy {
      $0.first >= 0 && $0.count > 0 && $0.first <= count && $0.count <= count - $0.first
        && !$0.figures.isEmpty
    }
      && means.allSatisfy {
        !$0.members.isEmpty && names.isSuperset(of: $0.members) && !$0.figures.isEmpty
      }
  }

  /// The mean over all parts, where there is one: what the tasks together are told by.
  var covering: Mean? { means.last { Set($0.members).count == parts.count } }
}
