public import TritKernels

/// One product that the arena races: a layer of `rows` outputs and `columns` inputs, for so many
/// tokens at once.
public struct ArenaCase: Codable, Sendable, Hashable, CustomStringConvertible {
  /// Outputs of the layer.
  public var rows: Int
  /// Inputs of the layer.
  public var columns: Int
  /// Rows of activations of one multiply.
  public var tokens: Int

  /// A case.
  public init(rows: Int, columns: Int, tokens: Int) {
    self.rows = rows
    self.columns = columns
    self.tokens = tokens
  }

  /// The layer alone.
  public var shape: WeightShape { WeightShape(rows, columns) }

  /// Multiplications and additions of the product.
  public var operations: Double { 2 * Double(rows) * Double(columns) * Double(tokens) }

  /// The fewest bytes that hold random ternary weights of this shape: log₂ 3 bits each (Shannon's
  /// bound). No exact kernel reads fewer.
  public var leastBytes: Double { Double(rows) * Double(columns) * Self.bitsOfTrit / 8 }

  /// log₂ 3.
  static let bitsOfTrit = 1.584962500721156

  /// `2560 × 6912, 1 tokens`.
  public var description: String { "\(rows) × \(columns), \(tokens) tokens" }

  /// Rows that a case may have.
  public static let rowLimit = 1 << 20
  /// Columns that a case may have: sums of int8 products then stay below 2²⁴, which float32 holds
  /// exactly.
  public static let columnLimit = 1 << 17
  /// Tokens that a case may have.
  public static let tokenLimit = 4096
  /// Weights that a case may have: what three kernels and a copy of it fit a small machine with.
  public static let weightLimit = 1 << 28
}

/// The cases of which a score is the geometric mean.
public enum ArenaSuite {
  /// The distinct layers of BitNet b1.58 2B-4T: query and output, key and value, gate and up, down.
  ///
  /// Source: `config.json` of microsoft/bitnet-b1.58-2B-4T: hidden_size 2560, intermediate_size
  /// 6912, 20 heads and 5 key/value heads of 128.
  public static let layers = [
    WeightShape(2560, 2560), WeightShape(640, 2560), WeightShape(6912, 2560),
    WeightShape(2560, 6912),
  ]
  /// One token as in decoding, a few as in speculative decoding, and a batch as of a prompt.
  public static let tokens = [1, 8, 128]

  /// Every one of `shapes` with every number of `tokens`, each once.
  public static func cases(_ shapes: [WeightShape] = layers, tokens: [Int] = tokens) -> [ArenaCase]
  {
    var cases: [ArenaCase] = []
    for shape in shapes {
      for count in tokens {
        let one = ArenaCase(rows: shape.rows, columns: shape.columns, tokens: count)
        if !cases.contains(one) { cases.append(one) }
      }
    }
    return cases
  }
}
