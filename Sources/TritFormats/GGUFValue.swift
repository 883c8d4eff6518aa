/// One metadata value of a GGUF file, in the type that it has there.
public enum GGUFValue: Sendable, Equatable {
  /// Whole numbers.
  case uint8(UInt8), int8(Int8), uint16(UInt16), int16(Int16)
  /// Whole numbers.
  case uint32(UInt32), int32(Int32), uint64(UInt64), int64(Int64)
  /// Numbers.
  case float32(Float), float64(Double)
  /// A truth value.
  case bool(Bool)
  /// Text.
  case string(String)
  /// A list.
  case array(GGUFArray)

  /// The text, if this is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth value, if this is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The list, if this is one.
  public var array: GGUFArray? { if case .array(let value) = self { value } else { nil } }
  /// The whole number, of whatever width, if this is one that fits.
  public var integer: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(value)
    default: nil
    }
  }
  /// The number, whole or not, if this is one.
  public var double: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    case .uint64(let value): Double(value)
    default: integer.map { Double($0) }
    }
  }
  /// The strings, if this is a list of them.
  public var strings: [String]? { array?.strings }
  /// The whole numbers, if this is a list of them and all fit.
  public var integers: [Int]? { array?.integers }
  /// The numbers as float32, if this is a list of float32 or float64.
  public var floats: [Float]? { array?.floats }

  /// The type as gguf-dump prints it: `UINT32`, `STRING`, `[FLOAT32]`.
  public var typeName: String {
    switch self {
    case .uint8: "UINT8"
    case .int8: "INT8"
    case .uint16: "UINT16"
    case .int16: "INT16"
    case .uint32: "UINT32"
    case .int32: "INT32"
    case .uint64: "UINT64"
    case .int64: "INT64"
    case .float32: "FLOAT32"
    case .float64: "FLOAT64"
    case .bool: "BOOL"
    case .string: "STRING"
    case .array(let value): "[\(value.elementTypeName)]"
    }
  }

  /// The number of the type in the file (`enum gguf_metadata_value_type` of the specification).
  var typeID: UInt32 {
    switch self {
    case .uint8: 0
    case .int8: 1
    case .uint16: 2
    case .int16: 3
    case .uint32: 4
    case .int32: 5
    case .float32: 6
    case .bool: 7
    case .string: 8
    case .array: 9
    case .uint64: 10
    case .int64: 11
    case .float64: 12
    }
  }
}

/// A list in GGUF metadata: all elements of one type, stored side by side.
public enum GGUFArray: Sendable, Equatable {
  /// Whole numbers.
  case uint8([UInt8]), int8([Int8]), uint16([UInt16]), int16([Int16])
  /// Whole numbers.
  case uint32([UInt32]), int32([Int32]), uint64([UInt64]), int64([Int64])
  /// Numbers.
  case float32([Float]), float64([Double])
  /// Truth values.
  case bool([Bool])
  /// Texts.
  case string([String])
  /// Lists of lists; each may have its own element type.
  case array([GGUFArray])

  /// Number of elements.
  public var count: Int {
    switch self {
    case .uint8(let values): values.count
    case .int8(let values): values.count
    case .uint16(let values): values.count
    case .int16(let values): values.count
    case .uint32(let values): values.count
    case .int32(let values): values.count
    case .uint64(let values): values.count
    case .int64(let values): values.count
    case .float32(let values): values.count
    case .float64(let values): values.count
    case .bool(let values): values.count
    case .string(let values): values.count
    case .array(let values): values.count
    }
  }

  /// The strings, if these are.
  public var strings: [String]? { if case .string(let values) = self { values } else { nil } }

  /// The whole numbers, of whatever width, if these are and all fit.
  public var integers: [Int]? {
    switch self {
    case .uint8(let values): return values.map { Int($0) }
    case .int8(let values): return values.map { Int($0) }
    case .uint16(let values): return values.map { Int($0) }
    case .int16(let values): return values.map { Int($0) }
    case .uint32(let values): return values.map { Int($0) }
    case .int32(let values): return values.map { Int($0) }
    case .uint64(let values):
      let fitting = values.compactMap { Int(exactly: $0) }
      return fitting.count == values.count ? fitting : nil
    case .int64(let values): return values.map { Int($0) }
    default: return nil
    }
  }

  /// The numbers as float32, if these are float32 or float64.
  public var floats: [Float]? {
    switch self {
    case .float32(let values): values
    case .float64(let values): values.map { Float($0) }
    default: nil
    }
  }

  /// The first `count` elements, as values.
  public func prefix(_ count: Int) -> [GGUFValue] {
    switch self {
    case .uint8(let values): values.prefix(count).map { .uint8($0) }
    case .int8(let values): values.prefix(count).map { .int8($0) }
    case .uint16(let values): values.prefix(count).map { .uint16($0) }
    case .int16(let values): values.prefix(count).map { .int16($0) }
    case .uint32(let values): values.prefix(count).map { .uint32($0) }
    case .int32(let values): values.prefix(count).map { .int32($0) }
    case .uint64(let values): values.prefix(count).map { .uint64($0) }
    case .int64(let values): values.prefix(count).map { .int64($0) }
    case .float32(let values): values.prefix(count).map { .float32($0) }
    case .float64(let values): values.prefix(count).map { .float64($0) }
    case .bool(let values): values.prefix(count).map { .bool($0) }
    case .string(let values): values.prefix(count).map { .string($0) }
    case .array(let values): values.prefix(count).map { .array($0) }
    }
  }

  /// The element type as gguf-dump prints it.
  public var elementTypeName: String {
    switch self {
    case .uint8: "UINT8"
    case .int8: "INT8"
    case .uint16: "UINT16"
    case .int16: "INT16"
    case .uint32: "UINT32"
    case .int32: "INT32"
    case .uint64: "UINT64"
    case .int64: "INT64"
    case .float32: "FLOAT32"
    case .float64: "FLOAT64"
    case .bool: "BOOL"
    case .string: "STRING"
    case .array: "ARRAY"
    }
  }

  /// The number of the element type in the file.
  var elementTypeID: UInt32 {
    switch self {
    case .uint8: 0
    case .int8: 1
    case .uint16: 2
    case .int16: 3
    case .uint32: 4
    case .int32: 5
    case .float32: 6
    case .bool: 7
    case .string: 8
    case .array: 9
    case .uint64: 10
    case .int64: 11
    case .float64: 12
    }
  }
}
