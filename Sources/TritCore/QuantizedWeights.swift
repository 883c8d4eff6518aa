/// How many weights share one scale.
public enum ScaleGranularity: Sendable, Hashable, Codable, CustomStringConvertible {
  /// One scale for the whole matrix.
  case tensor
  /// One scale a row (an output).
  case row
  /// One scale for each run of `n` consecutive columns of a row; the last run may be shorter.
  case group(Int)

  /// How many scales a matrix of `[rows, columns]` has.
  public func scaleCount(rows: Int, columns: Int) -> Int {
    switch self {
    case .tensor: 1
    case .row: rows
    case .group: rows * groups(columns: columns)
    }
  }

  /// Scales along one row: 1 unless grouped.
  public func groups(columns: Int) -> Int {
    if case .group(let size) = self { (columns + size - 1) / size } else { 1 }
  }

  /// Columns that share a scale within one row.
  public func span(columns: Int) -> Int {
    if case .group(let size) = self { size } else { max(columns, 1) }
  }

  /// Index into the scales of the weight at `[row, column]`.
  @inlinable public func scaleIndex(row: Int, column: Int, columns: Int) -> Int {
    switch self {
    case .tensor: 0
    case .row: row
    case .group(let size): row * ((columns + size - 1) / size) + column / size
    }
  }

  /// `tensor`, `row`, or `group of n`.
  public var description: String {
    switch self {
    case .tensor: "tensor"
    case .row: "row"
    case .group(let size): "group of \(size)"
    }
  }
}

/// Trits `[rows, columns]` and their scales: weight `[r, c]` is `trit(r, c) * scale(r, c)`.
///
/// Trits are −1, 0 or +1, one a byte, row-major: this is the exchange form between quantizers,
/// files and packings, made layer by layer; packed layouts are what stays in memory.
public struct TernaryMatrix: Sendable {
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int
  /// How many weights share one scale.
  public let granularity: ScaleGranularity
  /// The trits, row-major.
  public let trits: AlignedBuffer<Int8>
  /// `granularity.scaleCount` multipliers, row-major where there are several.
  public let scales: [Float]
  /// Whether all trits are known to be −1, 0 or +1, so that nobody need look again.
  package var isSound = false

  /// Takes trits and scales as they are; counts must fit the shape.
  public init(
    rows: Int, columns: Int, trits: AlignedBuffer<Int8>, scales: [Float],
    granularity: ScaleGranularity = .tensor
  ) {
    precondition(trits.count == rows * columns, "a ternary matrix needs rows * columns trits")
    precondition(
      scales.count == granularity.scaleCount(rows: rows, columns: columns),
      "a ternary matrix needs one scale per \(granularity)")
    self.rows = rows
    self.columns = columns
    self.granularity = granularity
    self.trits = trits
    self.scales = scales
  }

  /// The trits as a matrix.
  public var view: MatrixView<Int8> { MatrixView(base: trits.base, rows: rows, columns: columns) }

  /// The scale of the weight at `[row, column]`.
  public func scale(row: Int, column: Int) -> Float {
    scales[granularity.scaleIndex(row: row, column: column, columns: columns)]
  }
}

/// Integers of `bits` bits `[rows, columns]` and their scales: weight `[r, c]` is
/// `value(r, c) * scale(r, c)`; symmetric, no zero point.
public struct IntegerMatrix: Sendable {
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int
  /// Width of a value, 2…8.
  public let bits: Int
  /// How many weights share one scale (and zero).
  public let granularity: ScaleGranularity
  /// The values, row-major, sign-extended.
  public let values: AlignedBuffer<Int8>
  /// `granularity.scaleCount` multipliers.
  public let scales: [Float]

  /// Takes values and scales as they are; counts must fit the shape.
  public init(
    rows: Int, columns: Int, bits: Int, values: AlignedBuffer<Int8>, scales: [Float],
    granularity: ScaleGranularity
  ) {
    precondition((2...8).contains(bits), "an integer matrix has 2 to 8 bits")
    precondition(values.count == rows * columns, "an integer matrix needs rows * columns values")
    precondition(
      scales.count == granularity.scaleCount(rows: rows, columns: columns),
      "an integer matrix needs one scale per \(granularity)")
    self.rows = rows
    self.columns = columns
    self.bits = bits
    self.granularity = granularity
    self.values = values
    self.scales = scales
  }
}

/// What a weight quantizer gives, and what a packing or kernel takes.
public enum QuantizedWeights: Sendable {
  /// Trits with scales.
  case ternary(TernaryMatrix)
  /// Few-bit integers with scales.
  case integer(IntegerMatrix)
  /// Unquantized values.
  case dense(Matrix<Float>)

  /// Number of rows (outputs).
  public var rows: Int {
    switch self {
    case .ternary(let matrix): matrix.rows
    case .integer(let matrix): matrix.rows
    case .dense(let matrix): matrix.rows
    }
  }

  /// Number of columns (inputs).
  public var columns: Int {
    switch self {
    case .ternary(let matrix): matrix.columns
    case .integer(let matrix): matrix.columns
    case .dense(let matrix): matrix.columns
    }
  }

  /// What a weight is.
  public enum Kind: Sendable, Hashable, Codable {
    /// −1, 0 or +1.
    case ternary
    /// Integers of so many bits.
    case integer(bits: Int)
    /// float32 values.
    case dense
  }

  /// What a weight is.
  public var kind: Kind {
    switch self {
    case .ternary: .ternary
    case .integer(let matrix): .integer(bits: matrix.bits)
    case .dense: .dense
    }
  }

  /// How many weights share a scale; nil where there are no scales.
  public var granularity: ScaleGranularity? {
    switch self {
    case .ternary(let matrix): matrix.granularity
    case .integer(let matrix): matrix.granularity
    case .dense: nil
    }
  }

  /// In words, for messages: `ternary weights (scale per tensor)`, `4-bit integers (…)`,
  /// `float32 weights`.
  public var form: String {
    switch self {
    case .ternary(let matrix): "ternary weights (scale per \(matrix.granularity))"
    case .integer(let matrix): "\(matrix.bits)-bit integers (scale per \(matrix.granularity))"
    case .dense: "float32 weights"
    }
  }

  /// The values that the quantized form stands for, float32 `[rows, columns]`.
  public func dequantized() -> Matrix<Float> {
    switch self {
    case .dense(let matrix): matrix
    case .ternary(let matrix):
      Self.scaled(
        matrix.trits, rows: matrix.rows, columns: matrix.columns, scales: matrix.scales,
        granularity: matrix.granularity)
    case .integer(let matrix):
      Self.scaled(
        matrix.values, rows: matrix.rows, columns: matrix.columns, scales: matrix.scales,
        granularity: matrix.granularity)
    }
  }

  private static func scaled(
    _ values: AlignedBuffer<Int8>, rows: Int, columns: Int, scales: [Float],
    granularity: ScaleGranularity
  ) -> Matrix<Float> {
    let result = Matrix<Float>(rows: rows, columns: columns)
    let span = granularity.span(columns: columns)
    for row in 0..<rows {
      var start = 0
      while start < columns {
        let end = min(start + span, columns)
        let scale = scales[granularity.scaleIndex(row: row, column: start, columns: columns)]
        for index in (row * columns + start)..<(row * columns + end) {
          result.storage.base[index] = Float(values.base[index]) * scale
        }
        start = end
      }
    }
    return result
  }
}
