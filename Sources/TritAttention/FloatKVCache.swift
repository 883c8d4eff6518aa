public import TritCore

/// A cache that keeps keys and values as they come, in float32: the reference.
public final class FloatKVCache: KVCache {
  /// `f32`.
  public let name = "f32"
  private let shape: KVCacheShape
  private let keyStore: AlignedBuffer<Float>
  private let valueStore: AlignedBuffer<Float>

  /// An empty cache. Throws `badData` where the shape cannot be held.
  public init(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws {
    shape = try KVCacheShape(
      kind: "f32", layers: layers, heads: heads, headDimension: headDimension, capacity: capacity,
      bytesPerHeadRow: try KVCacheShape.rowBytes(headDimension, 4))
    keyStore = AlignedBuffer(count: shape.rowCount * headDimension)
    valueStore = AlignedBuffer(count: shape.rowCount * headDimension)
  }

  /// Positions that fit.
  public var capacity: Int { shape.capacity }
  /// Key/value heads a layer.
  public var heads: Int { shape.heads }
  /// Elements of one head's key.
  public var headDimension: Int { shape.headDimension }
  /// `2 · 4 · layers · heads · d`.
  public var bytesPerPosition: Int { 8 * shape.layers * shape.heads * shape.headDimension }
  /// Keys and values in whole tiles of positions.
  public var byteCount: Int { shape.byteCount(bytesPerHeadRow: 4 * headDimension) }

  /// Copies keys and values `[tokens, heads · d]` to positions `first…` of `layer`.
  public func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>) {
    shape.check(layer: layer, first: first, keys: keys, values: values)
    let d = shape.headDimension
    for head in 0..<shape.heads {
      let row = shape.row(layer: layer, head: head, position: first)
      for token in 0..<keys.rows {
        KeyLane.write(
          keys.base + token * keys.stride + head * d, d: d,
          to: keyStore.base + shape.keyLane(layer: layer, head: head, position: first + token))
        (valueStore.base + (row + token) * d)
          .update(from: values.base + token * values.stride + head * d, count: d)
      }
    }
  }

  /// Copies the keys of `head` at `positions` `[positions, d]`.
  public func loadKeys(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let d = shape.headDimension
    for (index, position) in positions.enumerated() {
      KeyLane.read(
        keyStore.base + shape.keyLane(layer: layer, head: head, position: position), d: d,
        into: output + index * d)
    }
  }

  /// Copies the values of `head` at `positions` `[positions, d]`.
  public func loadValues(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    output.update(
      from: valueStore.base + row * shape.headDimension,
      count: positions.count * shape.headDimension)
  }

  /// The values in place, stride `d`.
  public func floatValues(layer: Int, head: Int) -> (base: UnsafePointer<Float>, stride: Int)? {
    let row = shape.row(layer: layer, head: head, position: 0)
    return (UnsafePointer(valueStore.base + row * shape.headDimension), shape.headDimension)
  }

  /// Keys and values in place.
  public func stored(layer: Int, head: Int) -> StoredKeysAndValues? {
    let row = shape.row(layer: layer, head: head, position: 0) * shape.headDimension
    return StoredKeysAndValues(
      element: .float32, keys: keyStore.base + row, values: valueStore.base + row)
  }
}
