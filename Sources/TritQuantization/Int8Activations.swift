public import TritCore

/// Absmax per token to int8: what W1.58A8 models are trained with; the reference.
///
/// m = max(max|x|, 1e−5), s = 127/m in float32, q = clip(round_half_even(x·s), −128, 127); the
/// stored scale is m/127. A row with NaN or infinity gets a scale that is not finite, so that the
/// damage shows in every product instead of hiding in some integer.
///
/// Source: Ma et al. 2025 (arXiv:2504.12285), §2, and the released code, whose levels are 2^(b−1) −
/// 1 = 127. Equation 4 of Wang et al. 2023 (arXiv:2310.11453) scales by Q_b = 2^(b−1) = 128 and
/// clips to ±(Q_b − ε) instead: no released model is trained so.
public struct Int8Activations: ActivationQuantizer {
  /// The registered name.
  public let name = "int8"
  /// int8 rows.
  public let form = ActivationForm.int8

  /// Takes no parameters.
  public init() {}

  /// Quantizes each row by its own largest magnitude.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    for row in range {
      let values = x.base + row * x.stride
      let largest = max(RowCoder.largestMagnitude(values, x.columns), 1e-5)
      RowCoder.code(
        values, x.columns, multiplier: 127 / largest, scale: largest / 127, limit: 127, row: row,
        into: output)
    }
  }
}

/// int8 with the largest magnitudes clipped: the scale comes from a percentile of |x|, so that a
/// few outliers do not cost every other value its resolution.
///
/// m = max(the r-th smallest |x|, 1e−5) with r = min(⌈percentile/100 · n⌉, n − 1), then as `int8`,
/// where clipping now bites: at least the largest value, since 99.9 % of a row of less than 1,000
/// would otherwise be all of it. 100 is `int8`. Source: percentile calibration, Wu et al. 2020
/// (arXiv:2004.09602), here per token.
public struct ClippedInt8Activations: ActivationQuantizer {
  /// The registered name.
  public let name = "int8-clipped"
  /// int8 rows.
  public let form = ActivationForm.int8
  /// Share of magnitudes that are not clipped, in percent, above 0 up to 100.
  public let percentile: Double

  /// Clips what lies above `percentile` percent of the magnitudes of its row.
  public init(percentile: Double = 99.9) { self.percentile = percentile }

  /// Quantizes each row by its own percentile.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    for row in range {
      let values = x.base + row * x.stride
      var clip = RowCoder.largestMagnitude(values, x.columns)
      let share = Int((percentile / 100 * Double(x.columns)).rounded(.up))
      let rank = percentile < 100 ? min(share, x.columns - 1) : x.columns
      if clip.isFinite, rank > 0, rank < x.columns {
        let quantile = MagnitudeRank.value(ofRank: rank, in: values, x.columns)
        // Mostly zeros (behind a ReLU): a clip of 0 would leave nothing of the row.
        if quantile > 0 { clip = quantile }
      }
      let largest = max(clip, 1e-5)
      RowCoder.code(
        values, x.columns, multiplier: 127 / largest, scale: largest / 127, limit: 127, row: row,
        into: output)
    }
  }
}

/// An order statistic of |x| without memory for a copy: the bits of a non-negative float sort like
/// the float, so four passes of a 256-bin histogram (which fits the stack) find them byte by byte.
enum MagnitudeRank {
  /// The `rank`-th smallest |x|, from 1; `rank` is in 1...count.
  static func value(ofRank rank: Int, in values: UnsafePointer<Float>, _ count: Int) -> Float {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { histogram in
      var prefix: UInt32 = 0
      var mask: UInt32 = 0
      var left = rank
      for shift: UInt32 in [24, 16, 8, 0] {
        histogram.update(repeating: 0)
        for index in 0..<count {
          let bits = values[index].bitPattern & 0x7FFF_FFFF
          if bits & mask == prefix { histogram[Int((bits >> shift) & 255)] += 1 }
        }
        var digit = 0
        while digit < 255, Int(histogram[digit]) < left {
          left -= Int(histogram[digit])
          digit += 1
        }
        prefix |= UInt32(digit) << shift
        mask |= 255 << shift
      }
      return Float(bitPattern: prefix)
    }
  }
}
