import TritCore

#if _endian(big)
  #error("the readers of GGUF and safetensors copy little-endian numbers as they lie")
#endif

/// Reads GGUF primitives one after the other; every length is checked against the bytes that are
/// left before anything is read or reserved.
struct GGUFCursor {
  let bytes: UnsafeRawBufferPointer
  let path: String
  private(set) var position = 0
  /// What is being read, for messages.
  var subject = "the header"

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// Lists inside lists that are accepted.
  static let maximumDepth = 8

  var remaining: Int { bytes.count - position }

  func failure(_ what: String, expected: String? = nil, got: String? = nil, advice: String? = nil)
    -> LabError
  {
    LabError(
      .badData, "\(subject): \(what)", at: "\(path): byte \(position)", expected: expected,
      got: got,
      advice: advice)
  }

  private func require(_ count: Int) throws {
    // What lies before the tensors is made into values, several bytes for one: the tensors are not.
    if position > FileLimit.metadata.bytes - count {
      try FileLimit.metadata.check(position + count, at: path)
    }
    guard count <= remaining else {
      throw failure(
        "the file ends too early", expected: "\(count) more bytes", got: "\(remaining)",
        advice: "the file is truncated or corrupt; get it again")
    }
  }

  mutating func number<Number: BitwiseCopyable>(_ type: Number.Type) throws -> Number {
    try require(MemoryLayout<Number>.size)
    defer { position += MemoryLayout<Number>.size }
    return bytes.loadUnaligned(fromByteOffset: position, as: Number.self)
  }

  /// A 64-bit count of things that take at least `each` bytes, so that it is bounded by the file.
  mutating func count(of things: String, each: Int) throws -> Int {
    let value = try number(UInt64.self)
    guard value <= UInt64(remaining / each) else {
      position -= 8
      throw failure(
        "impossible count of \(things)", expected: "at most \((remaining - 8) / each) in this file",
        got: "\(value)", advice: "the file is truncated or corrupt; get it again")
    }
    try require(Int(value) * each)
    return Int(value)
  }

  mutating func string() throws -> String {
    let length = try count(of: "bytes in a string", each: 1)
    let raw = UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
    guard let text = String(validating: raw.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
    else {
      throw failure("a string is not valid UTF-8", expected: "UTF-8 text")
    }
    position += length
    return text
  }

  mutating func bool() throws -> Bool {
    let byte = try number(UInt8.self)
    guard byte <= 1 else {
      position -= 1
      throw failure("bad truth value", expected: "0 or 1", got: "\(byte)")
    }
    return byte == 1
  }

  mutating func value() throws -> GGUFValue {
    switch try number(UInt32.self) {
    case 0: .uint8(try number(UInt8.self))
    case 1: .int8(try number(Int8.self))
    case 2: .uint16(try number(UInt16.self))
    case 3: .int16(try number(Int16.self))
    case 4: .uint32(try number(UInt32.self))
    case 5: .int32(try number(Int32.self))
    case 6: .float32(try number(Float.self))
    case 7: .bool(try bool())
    case 8: .string(try string())
    case 9: .array(try array(depth: 1))
    case 10: .uint64(try number(UInt64.self))
    case 11: .int64(try number(Int64.self))
    case 12: .float64(try number(Double.self))
    case let type: throw unknownType(type)
    }
  }

  private mutating func array(depth: Int) throws -> GGUFArray {
    guard depth <= Self.maximumDepth else {
      throw failure("lists are nested too deeply", expected: "at most \(Self.maximumDepth) levels")
    }
    switch try number(UInt32.self) {
    case 0: return .uint8(try numbers())
    case 1: return .int8(try numbers())
    case 2: return .uint16(try numbers())
    case 3: return .int16(try numbers())
    case 4: return .uint32(try numbers())
    case 5: return .int32(try numbers())
    case 6: return .float32(try numbers())
    case 7: return .bool(try list(each: 1) { cursor in try cursor.bool() })
    case 8: return .string(try list(each: 8) { cursor in try cursor.string() })
    case 9: return .array(try list(each: 12) { cursor in try cursor.array(depth: depth + 1) })
    case 10: return .uint64(try numbers())
    case 11: return .int64(try numbers())
    case 12: return .float64(try numbers())
    case let type: throw unknownType(type)
    }
  }

  private func unknownType(_ type: UInt32) -> LabError {
    failure("unknown value type", expected: "0 to 12", got: "\(type)")
  }

  private mutating func numbers<Number: BitwiseCopyable>() throws -> [Number] {
    let size = MemoryLayout<Number>.size
    let count = try count(of: "numbers in a list", each: size)
    let source = UnsafeRawBufferPointer(rebasing: bytes[position..<position + count * size])
    position += count * size
    return [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
      initialized = count
    }
  }

  private mutating func list<Element>(
    each: Int, _ read: (inout GGUFCursor) throws -> Element
  ) throws -> [Element] {
    let count = try count(of: "elements in a list", each: each)
    var values: [Element] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }
}
