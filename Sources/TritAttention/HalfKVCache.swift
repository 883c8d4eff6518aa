public import TritCore

/// A cache in IEEE half precision: half the bytes of float32, relative error at most 2^−11 (absolute
/// 2^−25 below 2^−14); magnitudes above 65504 saturate.
public final class HalfKVCache: KVCache {
  /// `f16`.
  public let name = "f16"
  private let shape: KVCacheShape
  private let keyStore: AlignedBuffer<UInt16>
  private let valueStore: AlignedBuffer<UInt16>

  /// An empty cache. Throws `badData` where the shape cannot be held.
  public init(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws {
    shape = try KVCacheShape(
      kind: "f16", layers: layers, heads: heads, headDimension: headDimension, capacity: capacity,
      bytesPerHeadRow: try KVCacheShape.rowBytes(headDimension, 2))
    keyStore = AlignedBuffer(count: shape.rowCount * headDimension)
    valueStore = AlignedBuffer(count: shape.rowCount * headDimension)
  }

  /// Positions that fit.
  public var capacity: Int { shape.capacity }
  /// Key/value heads a layer.
  public var heads: Int { shape.heads }
  /// Elements of one head's key.
  public var headDimension: Int { shape.headDimension }
  /// `2 · 2 · layers · heads · d`.
  public var bytesPerPosition: Int { 4 * shape.layers * shape.heads * shape.headDimension }

  /// Rounds keys and values `[tokens, heads · d]` to half and stores them at positions `first…`.
  public func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>) {
    shape.check(layer: layer, first: first, keys: keys, values: values)
    let d = shape.headDimension
    for head in 0..<shape.heads {
      let row = shape.row(layer: layer, head: head, position: first)
      for token in 0..<keys.rows {
        let target = (row + token) * d
        HalfPrecision.narrow(
          keys.base + token * keys.stride + head * d, into: keyStore.base + target, count: d)
        HalfPrecision.narrow(
          values.base + token * values.stride + head * d, into: valueStore.base + target, count: d)
      }
    }
  }

  /// Widens the keys of `head` at `positions` into `output` `[positions, d]`; exact.
  public func loadKeys(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    VectorMath.widen(
      float16: keyStore.base + row * shape.headDimension, into: output,
      count: positions.count * shape.headDimension)
  }

  /// Widens the values of `head` at `positions` into `output` `[positions, d]`; exact.
  public func loadValues(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    VectorMath.widen(
      float16: valueStore.base + row * shape.headDimension, into: output,
      count: positions.count * shape.headDimension)
  }
}
