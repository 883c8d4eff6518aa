import TritCore

/// A shape of weights, `[rows, columns]`.
public struct WeightShape: Sendable, Hashable, CustomStringConvertible {
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int

  /// A shape.
  public init(_ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// `rows × columns`.
  public var description: String { "\(rows) × \(columns)" }
}
