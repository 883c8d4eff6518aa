public import TritCore

/// A cache of 16 bits an element: half the bytes of float32. Magnitudes beyond the format's
/// greatest number saturate.
public final class HalfKVCache: KVCache {
  /// Which 16 bits.
  public enum Format: String, Sendable, CaseIterable {
    /// IEEE binary16: relative error at most 2^−11 (absolute 2^−25 below 2^−14), up to 65504.
    case binary16 = "f16"
    /// The upper half of binary32: relative error at most 2^−8, the range of float32; widening is a
    /// shift.
    case bfloat16 = "bf16"
  }

  /// `f16` or `bf16`.
  public var name: String { format.rawValue }
  /// Which 16 bits.
  public let format: Format
  private let shape: KVCacheShape
  private let keyStore: AlignedBuffer<UInt16>
  private let valueStore: AlignedBuffer<UInt16>

  /// An empty cache. Throws `badData` where the shape cannot be held.
  public init(
    layers: Int, heads: Int, headDimension: Int, capacity: Int, format: Format = .binary16
  ) throws {
    self.format = format
    shape = try KVCacheShape(
      kind: format.rawValue, layers: layers, heads: heads, headDimension: headDimension,
      capacity: capacity,
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
  /// Keys and values in whole tiles of positions.
  public var byteCount: Int { shape.byteCount(bytesPerHeadRow: 2 * headDimension) }

  /// Rounds keys and values `[tokens, heads · d]` to 16 bits and stores them at positions `first…`.
  public func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>) {
    shape.check(layer: layer, first: first, keys: keys, values: values)
    let d = shape.headDimension
    // On the stack for heads of up to 512 elements.
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: d) { key in
      guard let key = key.baseAddress else { return }
      for head in 0..<shape.heads {
        let row = shape.row(layer: layer, head: head, position: first)
        for token in 0..<keys.rows {
          narrow(keys.base + token * keys.stride + head * d, into: key)
          KeyLane.write(
            key, d: d,
            to: keyStore.base + shape.keyLane(layer: layer, head: head, position: first + token))
          narrow(
            values.base + token * values.stride + head * d,
            into: valueStore.base + (row + token) * d)
        }
      }
    }
  }

  /// Widens the keys of `head` at `positions` into `output` `[positions, d]`; exact.
  public func loadKeys(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let d = shape.headDimension
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: d) { key in
      guard let key = key.baseAddress else { return }
      for (index, position) in positions.enumerated() {
        KeyLane.read(
          keyStore.base + shape.keyLane(layer: layer, head: head, position: position), d: d,
          into: key)
        widen(key, into: output + index * d, count: d)
      }
    }
  }

  /// Widens the values of `head` at `positions` into `output` `[positions, d]`; exact.
  public func loadValues(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
  ) {
    let row = shape.row(layer: layer, head: head, position: positions.lowerBound)
    widen(
      valueStore.base + row * shape.headDimension, into: output,
      count: positions.count * shape.headDimension)
  }

  /// Keys and values in place.
  public func stored(layer: Int, head: Int) -> StoredKeysAndValues? {
    let row = shape.row(layer: layer, head: head, position: 0) * shape.headDimension
    return StoredKeysAndValues(
      element: format == .binary16 ? .float16 : .bfloat16, keys: keyStore.base + row,
      values: valueStore.base + row)
  }

  /// Rounds one head's row.
  private func narrow(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>) {
    switch format {
    case .binary16: HalfPrecision.narrow(source, into: target, count: shape.headDimension)
    case .bfloat16: HalfPrecision.narrow(source, toBFloat16: target, count: shape.headDimension)
    }
  }

  private func widen(
    _ source: UnsafePointer<UInt16>, into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch format {
    case .binary16: VectorMath.widen(float16: source, into: target, count: count)
    case .bfloat16: VectorMath.widen(bfloat16: source, into: target, count: count)
    }
  }
}
