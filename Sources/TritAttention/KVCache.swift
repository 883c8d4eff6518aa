public import TritCore

/// Keys and values of past positions, in some precision.
///
/// Laws (`checkKVCache`): what is loaded is what was stored, within the precision's bound;
/// positions and layers do not disturb each other; no allocation after creation.
public protocol KVCache: AnyObject, Sendable {
  /// The registered name: `f32`, `f16`, `bf16`, `int8`.
  var name: String { get }
  /// Positions that fit.
  var capacity: Int { get }
  /// Key/value heads a layer.
  var heads: Int { get }
  /// Elements of one head's key.
  var headDimension: Int { get }
  /// Bytes that one position takes over all layers.
  var bytesPerPosition: Int { get }
  /// Bytes of all its memory.
  var byteCount: Int { get }

  /// Stores keys and values `[tokens, heads * headDimension]` of `layer` at positions `first…`.
  func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>)
  /// Widens the keys of `head` at `positions` into `output` `[positions, headDimension]`.
  func loadKeys(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>)
  /// Widens the values of `head` at `positions` into `output` `[positions, headDimension]`.
  func loadValues(
    layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>)
  /// The float32 keys of `head` from position 0 with their row stride, where the cache holds them
  /// so.
  func floatKeys(layer: Int, head: Int) -> (base: UnsafePointer<Float>, stride: Int)?
  /// The float32 values of `head` from position 0 with their row stride, where the cache holds them
  /// so.
  func floatValues(layer: Int, head: Int) -> (base: UnsafePointer<Float>, stride: Int)?
  /// Keys and values of `head` as they are held, where that is a form that attention can read in
  /// place.
  func stored(layer: Int, head: Int) -> StoredKeysAndValues?
}

extension KVCache {
  /// Stores rows that live until that is done.
  public func store(layer: Int, first: Int, keys: MatrixSpan<Float>, values: MatrixSpan<Float>) {
    keys.withUnsafeView { keys in
      values.withUnsafeView { store(layer: layer, first: first, keys: keys, values: $0) }
    }
  }

  /// All positions, and nothing beside them.
  public var byteCount: Int { bytesPerPosition * capacity }

  /// Not held in float32.
  public func floatKeys(layer: Int, head: Int) -> (base: UnsafePointer<Float>, stride: Int)? {
    nil
  }
  /// Not held in float32.
  public func floatValues(layer: Int, head: Int) -> (base: UnsafePointer<Float>, stride: Int)? {
    nil
  }
  /// Not in such a form: attention asks for tiles in float32.
  public func stored(layer: Int, head: Int) -> StoredKeysAndValues? { nil }
}

/// Makes caches of one kind; what the registry of caches holds.
public protocol KVCacheKind: Sendable {
  /// The registered name.
  var name: String { get }
  /// An empty cache. Throws where the shape cannot be held (memory, head size).
  func make(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws -> any KVCache
}
