import TritAttention
import TritCore

/// Cosines and sines of the rotary embedding, to turn whole sequences forth and back.
///
/// They are read off the inference stage by turning unit vectors, so that both use the same angles.
struct RotaryTable: Sendable {
  let headDimension: Int
  private let cosines: AlignedBuffer<Float>
  private let sines: AlignedBuffer<Float>

  /// Angles for positions `0..<length`, halves of a head turning together.
  init(headDimension: Int, base: Double, length: Int) throws {
    self.headDimension = headDimension
    let pairs = headDimension / 2
    let rotary = try RotaryEmbedding(
      headDimension: headDimension, base: base, maxPositions: length)
    let units = Matrix<Float>(rows: length, columns: headDimension)
    for row in 0..<length {
      for pair in 0..<pairs { units[row, pair] = 1 }
    }
    rotary.apply(units.mutableView, firstPosition: 0)
    cosines = AlignedBuffer(count: length * pairs)
    sines = AlignedBuffer(count: length * pairs)
    for row in 0..<length {
      for pair in 0..<pairs {
        cosines[row * pairs + pair] = units[row, pair]
        sines[row * pairs + pair] = units[row, pairs + pair]
      }
    }
  }

  /// Turns the first `heads` heads of every row of `x` by its position; back again where `inverse`
  /// (the rotation is orthogonal: its backward pass is its inverse).
  func turn(_ x: MutableMatrixView<Float>, heads: Int, inverse: Bool) {
    let pairs = headDimension / 2
    let sign: Float = inverse ? -1 : 1
    let (cosines, sines) = (cosines.base, sines.base)
    for row in 0..<x.rows {
      let cosine = cosines + row * pairs
      let sine = sines + row * pairs
      for head in 0..<heads {
        let first = x.base + row * x.stride + head * headDimension
        let second = first + pairs
        for pair in 0..<pairs {
          let (a, b, s) = (first[pair], second[pair], sine[pair] * sign)
          first[pair] = a * cosine[pair] - b * s
          second[pair] = b * cosine[pair] + a * s
        }
      }
    }
  }
}
