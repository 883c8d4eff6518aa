public import TritCore

/// How the weights of one group become trits.
public enum TritCoding: Sendable, Hashable {
  /// `clip(round_half_even(w · multiplier), −1, 1)`.
  case rounding(multiplier: Float)
  /// `sign(w)` where |w| > threshold, else 0.
  case threshold(Float)
  /// +1 where w > centre, else −1: no zeros.
  case sign(centre: Float)
}

/// What a ternary quantizer decides for one group of weights.
public struct TernaryFit: Sendable, Hashable {
  /// How weights become trits.
  public var coding: TritCoding
  /// What a trit is multiplied by to stand for a weight.
  public var scale: Float

  /// Pairs a coding with a scale.
  public init(_ coding: TritCoding, scale: Float) {
    self.coding = coding
    self.scale = scale
  }

  /// All trits 0, scale 0: for groups with nothing to fit.
  public static let zero = TernaryFit(.threshold(.infinity), scale: 0)
}

/// A ternary quantizer whose groups do not know of each other: a conformer writes the formula of
/// one group, this protocol does the rest.
public protocol GroupwiseTernaryQuantizer: WeightQuantizer {
  /// How many weights share a scale.
  var granularity: ScaleGranularity { get }
  /// Coding and scale for one group (finite weights; one row, or the whole matrix per tensor).
  func fit(_ group: MatrixView<Float>) -> TernaryFit
}

extension GroupwiseTernaryQuantizer {
  /// Fits every group and codes it; `.ternary` of the same shape.
  public func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights {
    try WeightGroups.requireFinite(weights)
    let trits = AlignedBuffer<Int8>(count: weights.rows * weights.columns)
    var scales = [Float](
      repeating: 0,
      count: granularity.scaleCount(rows: weights.rows, columns: weights.columns))
    WeightGroups.forEach(of: weights, by: granularity) { group, first, index in
      guard group.rows * group.columns > 0 else { return }
      let fit = fit(group)
      scales[index] = fit.scale
      for row in 0..<group.rows {
        TritCoder.code(
          group.base + row * group.stride, group.columns, fit.coding,
          into: trits.base + first + row * group.columns)
      }
    }
    return .ternary(
      TernaryMatrix(
        rows: weights.rows, columns: weights.columns, trits: trits, scales: scales,
        granularity: granularity))
  }
}

/// The inner loops: floats to small integers, plain enough for the compiler to vectorise.
enum TritCoder {
  /// Adding this to |x| < 2^22 rounds x half to even and leaves it, two's complement, in the low
  /// bits.
  static let roundingMagic: Float = 12_582_912

  static func code(
    _ weights: UnsafePointer<Float>, _ count: Int, _ coding: TritCoding,
    into trits: UnsafeMutablePointer<Int8>
  ) {
    switch coding {
    case .rounding(let multiplier):
      round(weights, count, multiplier: multiplier, low: -1, high: 1, into: trits)
    case .threshold(let threshold):
      for index in 0..<count {
        let weight = weights[index]
        let up: Int8 = weight > threshold ? 1 : 0
        let down: Int8 = weight < -threshold ? 1 : 0
        trits[index] = up &- down
      }
    case .sign(let centre):
      for index in 0..<count { trits[index] = weights[index] > centre ? 1 : -1 }
    }
  }

  /// `clip(round_half_even(w · multiplier), low, high)` for whole `low` and `high`: clipping first
  /// is the same, and keeps the sum with the magic number in range.
  static func round(
    _ weights: UnsafePointer<Float>, _ count: Int, multiplier: Float, low: Float, high: Float,
    into values: UnsafeMutablePointer<Int8>
  ) {
    for index in 0..<count {
      let scaled = weights[index] * multiplier
      let clipped = scaled < low ? low : (scaled > high ? high : scaled)
      values[index] = Int8(truncatingIfNeeded: (clipped + roundingMagic).bitPattern)
    }
  }
}
