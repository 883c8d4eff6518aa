public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What quantization did to one layer's weights, or to several taken together.
///
/// Kept as sums, so that statistics of layers add up to those of the model.
public struct WeightStatistics: Sendable, Hashable {
  /// The layer, or what was added up.
  public let name: String
  /// Number of weights.
  public private(set) var count = 0
  /// Bytes of the packed form.
  public private(set) var bytes = 0
  /// Weights whose quantized value is zero.
  public private(set) var zeros = 0
  private var squaredError = 0.0
  private var originalSquares = 0.0
  private var quantizedSquares = 0.0
  private var product = 0.0
  /// How often each level (trit or integer before its scale) occurs; empty for dense weights.
  public private(set) var levels: [Int: Int] = [:]

  /// Compares `quantized` with the weights it was made from, `[rows, columns]` both; `packedBytes`
  /// is what the packed form takes, scales included. Throws `badData` where shapes differ.
  public init(
    name: String, original: MatrixView<Float>, quantized: QuantizedWeights, packedBytes: Int
  ) throws {
    guard original.rows == quantized.rows, original.columns == quantized.columns else {
      throw LabError(
        .badData, "quantized weights have another shape than their originals", at: name,
        expected: "[\(original.rows), \(original.columns)]",
        got: "[\(quantized.rows), \(quantized.columns)]")
    }
    self.name = name
    bytes = packedBytes
    count = original.rows * original.columns
    switch quantized {
    case .dense(let matrix): add(original, dense: matrix)
    case .ternary(let matrix):
      add(
        original, values: matrix.trits.base, scales: matrix.scales,
        granularity: matrix.granularity)
    case .integer(let matrix):
      add(
        original, values: matrix.values.base, scales: matrix.scales,
        granularity: matrix.granularity)
    }
  }

  /// The sum of several layers.
  public init(name: String, total layers: [WeightStatistics]) {
    self.name = name
    for layer in layers {
      count += layer.count
      bytes += layer.bytes
      zeros += layer.zeros
      squaredError += layer.squaredError
      originalSquares += layer.originalSquares
      quantizedSquares += layer.quantizedSquares
      product += layer.product
      levels.merge(layer.levels, uniquingKeysWith: +)
    }
  }

  /// Mean squared error, in squared units of the weights.
  public var meanSquaredError: Double { squaredError / Double(count) }
  /// Signal to quantization noise, `10 log10(Σ w² / Σ (w − ŵ)²)` in dB; infinite where nothing was
  /// lost.
  public var signalToNoise: Double { 10 * log10(originalSquares / squaredError) }
  /// Cosine of the angle between original and quantized weights; NaN where either is all zero.
  public var cosine: Double { product / (originalSquares * quantizedSquares).squareRoot() }
  /// Share of weights that are zero after quantization.
  public var zeroShare: Double { Double(zeros) / Double(count) }
  /// Shannon entropy of the levels in bits a weight (at most log2 3 = 1.585 for trits): what an
  /// ideal code would need; nil for dense weights.
  public var entropy: Double? {
    guard !levels.isEmpty else { return nil }
    let total = Double(levels.values.reduce(0, +))
    // In order of the levels: a dictionary's own order changes from process to process, and with it
    // the last bit.
    return levels.sorted { $0.key < $1.key }.reduce(0.0) { sum, level in
      let share = Double(level.value) / total
      return level.value == 0 ? sum : sum - share * log2(share)
    }
  }
  /// Bits of the packed form a weight.
  public var bitsPerWeight: Double { 8 * Double(bytes) / Double(count) }

  private mutating func add(_ original: MatrixView<Float>, dense: Matrix<Float>) {
    for row in 0..<original.rows {
      let from = original.base + row * original.stride
      let to = dense.storage.base + row * dense.columns
      for column in 0..<original.columns {
        add(Double(from[column]), Double(to[column]))
        if to[column] == 0 { zeros += 1 }
      }
    }
  }

  private mutating func add(
    _ original: MatrixView<Float>, values: UnsafePointer<Int8>, scales: [Float],
    granularity: ScaleGranularity
  ) {
    var histogram = [Int](repeating: 0, count: 256)
    let columns = original.columns
    let span = granularity.span(columns: columns)
    for row in 0..<original.rows {
      let from = original.base + row * original.stride
      let to = values + row * columns
      for start in stride(from: 0, to: columns, by: span) {
        let scale = scales[granularity.scaleIndex(row: row, column: start, columns: columns)]
        for column in start..<min(start + span, columns) {
          let level = Int(to[column])
          histogram[level + 128] += 1
          let value = Float(level) * scale
          add(Double(from[column]), Double(value))
          if value == 0 { zeros += 1 }
        }
      }
    }
    for (index, occurrences) in histogram.enumerated() where occurrences > 0 {
      levels[index - 128, default: 0] += occurrences
    }
  }

  @inline(__always) private mutating func add(_ original: Double, _ quantized: Double) {
    let difference = original - quantized
    squaredError += difference * difference
    originalSquares += original * original
    quantizedSquares += quantized * quantized
    product += original * quantized
  }
}
