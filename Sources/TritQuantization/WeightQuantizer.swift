public import TritCore

/// Turns trained float weights into few-valued ones: the first stage of a weight's path.
///
/// Laws (`checkWeightQuantizer`): the shape is kept; the result is a function of the input alone;
/// quantizing the dequantized result again changes nothing for those that say so; all-zero weights
/// dequantize to zeros; non-finite weights are an error that names the first one's place.
public protocol WeightQuantizer: Sendable {
  /// The registered name.
  var name: String { get }
  /// Whether quantizing the dequantized result gives the same codes, and the same scales up to
  /// rounding, for every input: the quantizer is a projection. False unless a conformer says so.
  var isIdempotent: Bool { get }
  /// Quantizes `weights` `[rows, columns]` (rows are outputs). Throws `badData` on NaN or infinity.
  func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights
}

extension WeightQuantizer {
  /// False: most trained-in scales shrink when they are fitted a second time.
  public var isIdempotent: Bool { false }

  /// Quantizes weights that live until that is done.
  public func quantize(_ weights: MatrixSpan<Float>) throws -> QuantizedWeights {
    try weights.withUnsafeView { try quantize($0) }
  }
}
