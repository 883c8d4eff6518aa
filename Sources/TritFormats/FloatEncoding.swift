public import TritCore

/// Narrowing of float32 values to on-disk types.
///
/// F16 and BF16 round to nearest, ties to even. Q8_0 and Q4_0 give the bytes of ggml's reference
/// quantizers (ggml-quants.c); Q6_K searches scales as ggml's does, without importance weights from
/// outside.
public enum FloatEncoding {
  /// The types that can be written.
  public static let types: [TensorType] = [.f32, .f16, .bf16, .f64, .q8_0, .q4_0, .q6_k]

  /// The bytes of `values` as `type`. Throws `badData` for a type that is not in `types`, for a
  /// number of values that does not fill whole blocks, for finite values that F16 or BF16 would
  /// round to infinity (not finite ones stay what they are), and, in block types, for values that
  /// are not finite or too large for the float16 scale.
  public static func encode(_ values: UnsafeBufferPointer<Float>, as type: TensorType) throws
    -> [UInt8]
  {
    let size = try byteCount(values.count, as: type)
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      try encode(values, as: type, to: UnsafeMutableRawBufferPointer(buffer))
      initialized = size
    }
  }

  /// The same of a buffer, which lives until it is done.
  public static func encode(_ values: AlignedBuffer<Float>, as type: TensorType) throws -> [UInt8] {
    try values.span.withUnsafeBufferPointer { try encode($0, as: type) }
  }

  /// The same into memory of the right size.
  public static func encode(
    _ values: UnsafeBufferPointer<Float>, as type: TensorType,
    to output: UnsafeMutableRawBufferPointer
  ) throws {
    guard try byteCount(values.count, as: type) == output.count else {
      throw LabError(
        .internalError, "\(values.count) values do not make \(output.count) bytes of \(type.name)")
    }
    guard let source = values.baseAddress, let target = output.baseAddress, output.count > 0 else {
      return
    }
    if let index = firstOverflow(values, as: type) {
      throw LabError(
        .badData, "a value is too large for \(type.name)", at: "value \(index)",
        expected: "magnitudes up to \(type == .f16 ? "65504" : "3.39e38")", got: "\(values[index])",
        advice: "take \(type == .f16 ? "bf16 or f32" : "f32")")
    }
    switch type {
    case .f16:
      for i in 0..<values.count {
        target.storeBytes(of: float16(source[i]), toByteOffset: 2 &* i, as: UInt16.self)
      }
    case .bf16:
      for i in 0..<values.count {
        target.storeBytes(of: bfloat16(source[i]), toByteOffset: 2 &* i, as: UInt16.self)
      }
    case .f64:
      for i in 0..<values.count {
        target.storeBytes(of: Double(source[i]), toByteOffset: 8 &* i, as: Double.self)
      }
    case .q8_0: try q8(source, target, blocks: values.count / 32)
    case .q4_0: try q4(source, target, blocks: values.count / 32)
    case .q6_k: try q6(source, target, blocks: values.count / 256)
    default: target.copyMemory(from: source, byteCount: output.count)
    }
  }

  /// The place of the first finite value that `type`, F16 or BF16, would round to infinity.
  public static func firstOverflow(_ values: UnsafeBufferPointer<Float>, as type: TensorType)
    -> Int?
  {
    // Halfway from the largest number of the type to the one that would come next.
    let limit: Float
    switch type {
    case .f16: limit = 65_520
    case .bf16: limit = Float(bitPattern: 0x7f7f_8000)
    default: return nil
    }
    var greatest: Float = 0
    // A maximum ignores NaN; infinities are looked at below.
    for value in values { greatest = max(greatest, abs(value)) }
    guard greatest >= limit else { return nil }
    return values.firstIndex { abs($0) >= limit && $0.isFinite }
  }

  private static func byteCount(_ count: Int, as type: TensorType) throws -> Int {
    guard types.contains(type), let block = type.block else {
      throw LabError(
        .badData, "floats cannot be written as \(type.name)",
        expected: types.map(\.name).joined(separator: ", "))
    }
    guard count.isMultiple(of: block.elements) else {
      throw LabError(
        .badData, "\(count) values do not fill blocks of \(type.name)",
        expected: "a multiple of \(block.elements)")
    }
    return count / block.elements * block.bytes
  }

  // MARK: Half-size floats

  /// The bits of the nearest float16, ties to even; beyond its range, infinity.
  @inlinable @inline(__always) public static func float16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7fff_ffff
    // Normal results: move the exponent by 112, round the 13 lost bits to even.
    let normal = magnitude &- 112 << 23 &+ 0xfff &+ (magnitude >> 13 & 1)
    // Subnormal results: adding 0.5 leaves the value in units of 2^-24, rounded by the addition.
    let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3f00_0000
    // A NaN stays one: its quiet bit is set, its payload's upper bits are kept.
    let special: UInt32 = magnitude > 0x7f80_0000 ? 0x7e00 | (magnitude >> 13 & 0x3ff) : 0x7c00
    let result =
      magnitude < 0x3880_0000 ? small : magnitude >= 0x4780_0000 ? special : normal >> 13
    return UInt16(truncatingIfNeeded: result) | sign
  }

  /// The bits of the nearest bfloat16, ties to even.
  @inlinable @inline(__always) public static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
    let quiet = bits >> 16 | 0x40
    return UInt16(truncatingIfNeeded: bits & 0x7fff_ffff > 0x7f80_0000 ? quiet : rounded)
  }
}
