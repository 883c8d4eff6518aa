/// Keys and values of one head of one layer as a cache holds them, for leaves that widen what they
/// read.
///
/// Positions come in tiles of `tile`, whole tiles always readable. Tile `t` of the keys is
/// `[d][tile]`: transposed, so that positions lie in vector lanes. Values are rows `[position][d]`.
public struct StoredKeysAndValues {
  /// Positions of a tile.
  public static let tile = 64

  /// How an element is held.
  public enum Element: Int32, Sendable {
    /// IEEE binary32.
    case float32 = 0
    /// IEEE binary16.
    case float16 = 1
    /// The upper half of binary32.
    case bfloat16 = 2
    /// Signed bytes times the position's scale.
    case int8 = 3

    /// Bytes of one element.
    public var bytes: Int { [4, 2, 2, 1][Int(rawValue)] }
  }

  /// How elements are held.
  public let element: Element
  /// Key tiles from position 0.
  public let keys: UnsafeRawPointer
  /// Value rows from position 0.
  public let values: UnsafeRawPointer
  /// For `int8`: one scale a position.
  public let keyScales: UnsafePointer<Float>?
  /// For `int8`: one scale a position.
  public let valueScales: UnsafePointer<Float>?

  /// Describes what a cache holds; valid while the cache lives.
  public init(
    element: Element, keys: UnsafeRawPointer, values: UnsafeRawPointer,
    keyScales: UnsafePointer<Float>? = nil, valueScales: UnsafePointer<Float>? = nil
  ) {
    self.element = element
    self.keys = keys
    self.values = values
    self.keyScales = keyScales
    self.valueScales = valueScales
  }
}

/// One key in a tile: its elements lie `StoredKeysAndValues.tile` apart from `lane` on.
enum KeyLane {
  /// Writes the `d` elements of `row`.
  @inline(__always) static func write<Element: BitwiseCopyable>(
    _ row: UnsafePointer<Element>, d: Int, to lane: UnsafeMutablePointer<Element>
  ) {
    for index in 0..<d { lane[index * StoredKeysAndValues.tile] = row[index] }
  }

  /// Reads them back.
  @inline(__always) static func read<Element: BitwiseCopyable>(
    _ lane: UnsafePointer<Element>, d: Int, into row: UnsafeMutablePointer<Element>
  ) {
    for index in 0..<d { row[index] = lane[index * StoredKeysAndValues.tile] }
  }
}
