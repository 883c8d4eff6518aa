import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The shape that all caches share, checked once: `[layers][heads][capacity][headDimension]` for
/// values, the same in tiles `[headDimension][64]` for keys. One head lies contiguous in position,
/// which is how attention reads it; the capacity is rounded up to whole tiles.
struct KVCacheShape: Sendable {
  let layers: Int
  let heads: Int
  let headDimension: Int
  let capacity: Int
  /// Positions of one head in memory: the capacity in whole tiles.
  let stride: Int

  /// Throws `badData` where a dimension is not positive or where keys and values at
  /// `bytesPerHeadRow` bytes a head and position exceed this machine's memory.
  init(
    kind: String, layers: Int, heads: Int, headDimension: Int, capacity: Int, bytesPerHeadRow: Int
  ) throws {
    self.layers = layers
    self.heads = heads
    self.headDimension = headDimension
    self.capacity = capacity
    let tile = StoredKeysAndValues.tile
    stride = capacity > Int.max - tile ? capacity : (capacity + tile - 1) / tile * tile
    let shape = "\(layers) layers, \(heads) heads of \(headDimension), \(capacity) positions"
    guard layers > 0, heads > 0, headDimension > 0, capacity > 0 else {
      throw LabError(
        .badData, "a KV cache needs a positive shape", expected: "every dimension at least 1",
        got: shape)
    }
    let memory = Self.physicalMemory
    let wanted = Double(bytesPerHeadRow) * 2 * Double(layers) * Double(heads) * Double(stride)
    var bytes = 2
    for factor in [layers, heads, stride, bytesPerHeadRow] {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: factor)
      guard !overflow, product <= memory else {
        throw LabError(
          .badData, "a KV cache '\(kind)' of this shape does not fit into memory",
          expected: "at most \(memory >> 20) MiB",
          got: "\(Int(min(wanted / 1_048_576, 1e18).rounded(.up))) MiB wanted for \(shape)",
          advice: "ask for a shorter context (-c), or take the cache f16 or int8 (--cache)")
      }
      bytes = product
    }
    try MemoryLimit.require(
      bytes, for: "a KV cache '\(kind)' of \(shape)",
      advice: "ask for a shorter context (-c), or take the cache f16 or int8 (--cache)")
  }

  /// Bytes of keys and values at `bytesPerHeadRow` bytes a head and position: whole tiles.
  func byteCount(bytesPerHeadRow: Int) -> Int { 2 * rowCount * bytesPerHeadRow }

  /// Rows of one head's keys (or values) over all layers and heads.
  var rowCount: Int { layers * heads * stride }

  /// The row of `position` of `head` of `layer`; checked, since layers and positions come from
  /// callers.
  @inline(__always) func row(layer: Int, head: Int, position: Int) -> Int {
    precondition(
      layer >= 0 && layer < layers && head >= 0 && head < heads && position >= 0
        && position <= capacity, "KV cache: layer, head or position outside the cache")
    return (layer * heads + head) * stride + position
  }

  /// The first element of the key at `position`: the others follow a tile's width apart.
  @inline(__always) func keyLane(layer: Int, head: Int, position: Int) -> Int {
    let lane = position % StoredKeysAndValues.tile
    return row(layer: layer, head: head, position: position - lane) * headDimension + lane
  }

  /// Checks one store; the message names the programmer's mistake.
  @inline(__always) func check(
    layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>
  ) {
    precondition(layer >= 0 && layer < layers, "KV cache: layer \(layer) of \(layers)")
    precondition(
      first >= 0 && first + keys.rows <= capacity,
      "KV cache: positions \(first)..<\(first + keys.rows) of \(capacity)")
    precondition(
      keys.rows == values.rows && keys.columns == heads * headDimension
        && values.columns == keys.columns, "KV cache: keys and values need [tokens, heads * d]")
  }

  private static let physicalMemory: Int = {
    let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES))
      .multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
    return overflow || bytes <= 0 ? Int.max : bytes
  }()
}

extension KVCacheShape {
  /// `elements · size`, and what a row has beside its elements, or an error where that is no Int;
  /// non-positive counts are left to `init`.
  static func rowBytes(_ elements: Int, _ size: Int, beside scale: Int = 0) throws -> Int {
    let (row, overflow) = elements.multipliedReportingOverflow(by: size)
    let (bytes, more) = row.addingReportingOverflow(scale)
    guard !overflow, !more else {
      throw LabError(.badData, "a head of \(elements) elements does not fit into memory")
    }
    return bytes
  }
}
