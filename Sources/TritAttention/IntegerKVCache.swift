public import TritCore

/// A cache of signed bytes with one scale for each head's key (and value) at each position: a
/// quarter of float32's bytes. A row is scaled so that its largest magnitude becomes 127, and
/// rounded to the nearest, so an element is off by at most half a step, `absmax / 254`.
public final class IntegerKVCache: KVCache {
  /// `int8`.
  public let name = "int8"
  private let shape: KVCacheShape
  private let keyStore: AlignedBuffer<Int8>
  private let valueStore: AlignedBuffer<Int8>
  private let keyScales: AlignedBuffer<Float>
  private let valueScales: AlignedBuffer<Float>

  /// An empty cache. Throws `badData` where the shape cannot be held.
  public init(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws {
    shape = try KVCacheShape(
      kind: "int8", layers: layers, heads: heads, headDimension: headDimension, capacity: capacity,
      // A row of bytes and its scale.
      bytesPerHeadRow: try KVCacheShape.rowBytes(headDimension, 1, beside: 4))
    keyStore = AlignedBuffer(count: shape.rowCount * headDimension)
    valueStore = AlignedBuffer(count: shape.rowCount * headDimension)
    keyScales = AlignedBuffer(count: shape.rowCount)
    valueScales = AlignedBuffer(count: shape.rowCount)
  }

  /// Positions that fit.
  public var capacity: Int { shape.capacity }
  /// Key/value heads a layer.
  public var heads: Int { shape.heads }
  /// Elements of one head's key.
  public var headDimension: Int { shape.headDimension }
  /// `2 · layers · heads · (d + 4)`.
  public var bytesPerPosition: Int { 2 * shape.layers * shape.heads * (shape.headDimension + 4) }
  /// Keys and values in whole tiles of positions.
  public var byteCount: Int { shape.byteCount(bytesPerHeadRow: headDimension + 4) }

  /// Quantizes keys and values `[tokens, heads · d]` and stores them at positions `first…`.
  public func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>) {
    shape.check(layer: layer, first: first, keys: keys, values: values)
    let d = shape.headDimension
    // On the stack for heads of up to 1024 elements.
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: d) { key in
      guard let key = key.baseAddress else { return }
      for head in 0..<shape.heads {
        let row = shape.row(layer: layer, head: head, position: first)
        for token in 0..<keys.rows {
          keyScales.base[row + token] = Self.quantize(
            keys.base + token * keys.stride + head * d, into: key, count: d)
          KeyLane.write(
            key, d: d,
            to: keyStore.base + shape.keyLane(layer: layer, head: head, position: first + token))
          valueScales.base[row + token] = Self.quantize(
            values.base + token * values.stride + head * d,
            into: valueStore.base + (row + token) * d, count: d)
        }
      }
    }
  }

  /// Widens the keys of `head` at `positions` into `output` `[positions, d]`.
  public func loadKeys(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let d = shape.headDimension
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: d) { key in
      guard let key = key.baseAddress else { return }
      for (index, position) in positions.enumerated() {
        KeyLane.read(
          keyStore.base + shape.keyLane(layer: layer, head: head, position: position), d: d,
          into: key)
        Self.widen(
          key, scales: keyScales.base + row + index, rows: 1, d: d, into: output + index * d)
      }
    }
  }

  /// Widens the values of `head` at `positions` into `output` `[positions, d]`.
  public func loadValues(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    Self.widen(
      valueStore.base + row * shape.headDimension, scales: valueScales.base + row,
      rows: positions.count, d: shape.headDimension, into: output)
  }

  /// Codes and scales in place.
  public func stored(layer: Int, head: Int) -> StoredKeysAndValues? {
    let row = shape.row(layer: layer, head: head, position: 0)
    return StoredKeysAndValues(
      element: .int8, keys: keyStore.base + row * shape.headDimension,
      values: valueStore.base + row * shape.headDimension, keyScales: keyScales.base + row,
      valueScales: valueScales.base + row)
  }

  /// Writes `round(x / step)` and gives `step = absmax / 127`. A row with a NaN or an infinity
  /// keeps only a NaN step, so that what is loaded is NaN and the fault stays visible downstream.
  private static func quantize(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Int8>, count: Int
  ) -> Float {
    var greatest: Float = 0
    var sum: Float = 0
    for index in 0..<count {
      greatest = max(greatest, source[index].magnitude)
      sum += source[index] * 0
    }
    guard sum == 0 else {
      target.update(repeating: 1, count: count)
      return .nan
    }
    // A step below the normal range would make its reciprocal infinite: such rows are zero.
    guard greatest >= 127 * Float.leastNormalMagnitude else {
      target.update(repeating: 0, count: count)
      return 0
    }
    let step = greatest / 127
    let inverse = 127 / greatest
    for index in 0..<count {
      let value = (source[index] * inverse).rounded(.toNearestOrEven)
      target[index] = Int8(truncatingIfNeeded: Int32(max(-127, min(127, value))))
    }
    return step
  }

  private static func widen(
    _ source: UnsafePointer<Int8>, scales: UnsafePointer<Float>, rows: Int, d: Int,
    into output: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let step = scales[row]
      let from = source + row * d
      let to = output + row * d
      for index in 0..<d { to[index] = Float(from[index]) * step }
    }
  }
}
