public import TritCore

/// Quantized weights as what packings and integer kernels see: int8 values `[rows, columns]` with
/// scales, be they trits or integers of a few bits.
public struct IntegerWeights: Sendable {
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int
  /// Width of a value in bits; nil for trits.
  public let bits: Int?
  /// The values, row-major.
  public let values: AlignedBuffer<Int8>
  /// `granularity.scaleCount` multipliers.
  public let scales: [Float]
  /// How many weights share one scale.
  public let granularity: ScaleGranularity

  /// The greatest magnitude that a value of this form can have.
  public var greatest: Int { bits.map { 1 << ($0 - 1) } ?? 1 }
}

extension QuantizedWeights {
  /// The values and scales, nil for float32 weights.
  public var integers: IntegerWeights? {
    switch self {
    case .ternary(let matrix):
      IntegerWeights(
        rows: matrix.rows, columns: matrix.columns, bits: nil, values: matrix.trits,
        scales: matrix.scales, granularity: matrix.granularity)
    case .integer(let matrix):
      IntegerWeights(
        rows: matrix.rows, columns: matrix.columns, bits: matrix.bits, values: matrix.values,
        scales: matrix.scales, granularity: matrix.granularity)
    case .dense: nil
    }
  }
}

extension LabError {
  /// The error for weights of a form that a kernel or packing does not take: who takes what, what
  /// these are (and which quantizer made them, where the caller knows it), and what to use instead.
  public static func illegalPair(
    _ stage: String, _ name: String, takes: String, form: String, quantizer: String? = nil,
    advice: String
  ) -> LabError {
    let whose = quantizer.map { "quantizer '\($0)' gives \(form)" } ?? "these are \(form)"
    return LabError(.usage, "\(stage) '\(name)' takes \(takes); \(whose)", advice: advice)
  }

  /// What to do with weights that are not ternary where only trits will do.
  public static let useTernary =
    "use kernel 'int8' or 'dequantize', or a ternary quantizer: absmean, absmedian, twn"
  /// What to do with float32 weights where only quantized ones will do.
  public static let useQuantized =
    "use kernel 'openblas', or a quantizer: absmean, int8, int4"
}

/// Sizes computed from shapes that a file may have made up: they stop at `Int.max` instead of
/// trapping.
package enum Size {
  /// The product of non-negative factors.
  package static func product(_ factors: Int...) -> Int {
    var result = 1
    for factor in factors {
      let (next, overflow) = result.multipliedReportingOverflow(by: factor)
      guard !overflow else { return .max }
      result = next
    }
    return result
  }

  /// The sum of non-negative terms.
  package static func sum(_ terms: Int...) -> Int {
    var result = 0
    for term in terms {
      let (next, overflow) = result.addingReportingOverflow(term)
      guard !overflow else { return .max }
      result = next
    }
    return result
  }

  /// `value / divisor`, rounded up.
  package static func quotient(_ value: Int, _ divisor: Int) -> Int {
    value / divisor + (value % divisor == 0 ? 0 : 1)
  }
}
