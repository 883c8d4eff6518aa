import TritAttention
import TritCore

/// Cosines and sines of the rotary embedding, to turn whole sequences forth and back.
///
/// They are read off the inference stage by turning unit vectors, so that both use the same angles,
/// whatever scales them, and the same length, where a scaling stretches the vectors (YaRN).
struct RotaryTable: Sendable {
  let headDimension: Int
  /// Pairs of a head that turn.
  private let pairs: Int
  private let pairing: RotaryPairing
  private let cosines: AlignedBuffer<Float>
  private let sines: AlignedBuffer<Float>

  /// The angles of `rotary` for positions `0..<length`.
  init(_ rotary: RotaryEmbedding, length: Int) {
    let pairs = rotary.rotaryDimension / 2
    headDimension = rotary.headDimension
    self.pairs = pairs
    pairing = rotary.pairing
    let units = Matrix<Float>(rows: length, columns: headDimension)
    let places = (0..<pairs).map { Self.pair($0, of: pairs, rotary.pairing) }
    for row in 0..<length {
      for place in places { units[row, place.first] = 1 }
    }
    rotary.apply(units.mutableView, firstPosition: 0)
    cosines = AlignedBuffer(count: length * pairs)
    sines = AlignedBuffer(count: length * pairs)
    for row in 0..<length {
      for (pair, place) in places.enumerated() {
        cosines[row * pairs + pair] = units[row, place.first]
        sines[row * pairs + pair] = units[row, place.second]
      }
    }
  }

  /// The elements of a head that form a pair.
  private static func pair(
    _ index: Int, of pairs: Int, _ pairing: RotaryPairing
  ) -> (first: Int, second: Int) {
    switch pairing {
    case .halfSplit: (index, pairs + index)
    case .adjacent: (2 * index, 2 * index + 1)
    }
  }

  /// Turns the heads of every row of `x` by its position. `inverse`: what the gradient of turned
  /// heads is before they were turned, the transposed rotation.
  func turn(_ x: MutableMatrixView<Float>, inverse: Bool) {
    let sign: Float = inverse ? -1 : 1
    let (cosines, sines) = (cosines.base, sines.base)
    let step = pairing == .halfSplit ? 1 : 2
    let distance = pairing == .halfSplit ? pairs : 1
    for row in 0..<x.rows {
      let cosine = cosines + row * pairs
      let sine = sines + row * pairs
      for start in stride(from: 0, to: x.columns, by: headDimension) {
        let first = x.base + row * x.stride + start
        let second = first + distance
        guard step == 1 else {
          for pair in 0..<pairs {
            let (a, b, s) = (first[2 * pair], second[2 * pair], sine[pair] * sign)
            first[2 * pair] = a * cosine[pair] - b * s
            second[2 * pair] = b * cosine[pair] + a * s
          }
          continue
        }
        for pair in 0..<pairs {
          let (a, b, s) = (first[pair], second[pair], sine[pair] * sign)
          first[pair] = a * cosine[pair] - b * s
          second[pair] = b * cosine[pair] + a * s
        }
      }
    }
  }
}
