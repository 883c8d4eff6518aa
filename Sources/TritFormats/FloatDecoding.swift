public import TritCore

/// Widening of on-disk float types to float32.
///
/// Exact for float16 and bfloat16; float64 rounds to nearest; the block types give `scale · code`,
/// as ggml's dequantizers do (ggml-quants.c). Integers become the nearest float.
public enum FloatDecoding {
  /// Decodes `bytes`, the whole tensor `info`, into `info.count` values. `path` is for messages.
  /// Throws for ternary containers and for a byte count that is not the shape's.
  public static func decode(_ bytes: UnsafeRawBufferPointer, info: TensorInfo, path: String) throws
    -> AlignedBuffer<Float>
  {
    try MemoryLimit.require(
      info.count, of: 4, for: "the values of tensor '\(info.name)'",
      advice: "end other programs, or take a smaller model")
    let result = AlignedBuffer<Float>(count: info.count)
    guard let block = info.type.block,
      bytes.count == info.count / block.elements * block.bytes || isTernary(info.type)
    else {
      if isTernary(info.type) { throw ternary(info, path) }
      throw LabError(
        .badData, "tensor '\(info.name)' has the wrong size for its shape \(info.shape)", at: path,
        got: "\(bytes.count) bytes of \(info.type.name)")
    }
    guard try decode(bytes, as: info.type, to: result.mutableBuffer) else {
      throw ternary(info, path)
    }
    return result
  }

  /// Decodes part of a tensor: whole blocks of `type` into as many values as `output` has. False
  /// where the type is a ternary container. Throws when the sizes do not agree.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, as type: TensorType,
    to output: UnsafeMutableBufferPointer<Float>
  ) throws -> Bool {
    guard let block = type.block, !isTernary(type) else { return false }
    guard output.count.isMultiple(of: block.elements),
      bytes.count == output.count / block.elements * block.bytes
    else {
      throw LabError(
        .badData, "\(bytes.count) bytes of \(type.name) are not \(output.count) values")
    }
    guard output.count > 0, let source = bytes.baseAddress, let target = output.baseAddress else {
      return true
    }
    let count = output.count
    switch type {
    case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: bytes.count)
    case .f16: float16(source, target, count)
    case .bf16: bfloat16(source, target, count)
    case .f64: numbers(source, target, count, Double.self) { Float($0) }
    case .i8: numbers(source, target, count, Int8.self) { Float($0) }
    case .i16: numbers(source, target, count, Int16.self) { Float($0) }
    case .i32: numbers(source, target, count, Int32.self) { Float($0) }
    case .i64: numbers(source, target, count, Int64.self) { Float($0) }
    case .u8, .bool: numbers(source, target, count, UInt8.self) { Float($0) }
    case .u16: numbers(source, target, count, UInt16.self) { Float($0) }
    case .u32: numbers(source, target, count, UInt32.self) { Float($0) }
    case .u64: numbers(source, target, count, UInt64.self) { Float($0) }
    case .q8_0: q8(source, target, count / 32)
    case .q4_0: q4(source, target, count / 32)
    case .q4_k: q4k(source, target, count / 256)
    case .q5_k: q5k(source, target, count / 256)
    case .q6_k: q6(source, target, count / 256)
    case .tq1_0, .tq2_0, .q1_0, .q2_0, .pq2_0, .ptq1_0, .i2_s, .tl1, .tl2: return false
    }
    return true
  }

  /// Whether the type is a packing of trits, read by `TritKernels`.
  static func isTernary(_ type: TensorType) -> Bool {
    switch type {
    case .tq1_0, .tq2_0, .q1_0, .q2_0, .pq2_0, .ptq1_0, .i2_s, .tl1, .tl2: true
    default: false
    }
  }

  private static func ternary(_ info: TensorInfo, _ path: String) -> LabError {
    LabError(
      .badData, "tensor '\(info.name)' holds packed trits, not floats", at: path,
      expected: "a float type", got: info.type.name,
      advice: "unpack it with the packing '\(info.type.name.lowercased())'")
  }
}

// MARK: Plain types
extension FloatDecoding {
  /// The float32 of a float16's bits. The exponent is moved by a multiplication, which also
  /// normalises subnormals; infinities and NaNs then get the widest exponent back.
  @inlinable @inline(__always) public static func float16(_ bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7fff) << 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let special: UInt32 = magnitude >= 0x0f80_0000 ? 0x7f80_0000 : 0
    return Float(bitPattern: scaled | special | UInt32(bits & 0x8000) << 16)
  }

  /// The float32 of a bfloat16's bits: its upper half.
  @inlinable @inline(__always) public static func bfloat16(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  private static func float16(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    if UInt(bitPattern: source).isMultiple(of: 2) {
      // The CPU's own instruction, where it has one.
      VectorMath.widen(
        float16: source.assumingMemoryBound(to: UInt16.self), into: target, count: count)
      return
    }
    for i in 0..<count {
      target[i] = float16(source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
    }
  }

  private static func bfloat16(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for i in 0..<count {
      target[i] = bfloat16(source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
    }
  }

  @inline(__always) private static func numbers<Number: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int,
    _ type: Number.Type, _ widen: (Number) -> Float
  ) {
    for i in 0..<count {
      target[i] = widen(
        source.loadUnaligned(fromByteOffset: MemoryLayout<Number>.size &* i, as: Number.self))
    }
  }
}

// MARK: Block types
extension FloatDecoding {
  /// Q8_0: a float16 scale, 32 signed bytes.
  private static func q8(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int
  ) {
    for block in 0..<blocks {
      let bytes = source + 34 * block
      let scale = float16(bytes.loadUnaligned(as: UInt16.self))
      let values = target + 32 * block
      for i in 0..<32 {
        values[i] = scale * Float(bytes.load(fromByteOffset: 2 &+ i, as: Int8.self))
      }
    }
  }

  /// Q4_0: a float16 scale, 16 bytes; byte i holds weight i in its low and i + 16 in its high
  /// nibble, each code 0…15 standing for −8…7.
  private static func q4(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int
  ) {
    for block in 0..<blocks {
      let bytes = source + 18 * block
      let scale = float16(bytes.loadUnaligned(as: UInt16.self))
      let values = target + 32 * block
      for i in 0..<16 {
        let byte = Int32(bytes.load(fromByteOffset: 2 &+ i, as: UInt8.self))
        values[i] = scale * Float(byte & 15 &- 8)
        values[i &+ 16] = scale * Float(byte >> 4 &- 8)
      }
    }
  }

  /// Q6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales for 16 weights each,
  /// and a float16 scale of those. Codes 0…63 stand for −32…31.
  private static func q6(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int
  ) {
    for block in 0..<blocks {
      let bytes = source + 210 * block
      let scale = float16(bytes.loadUnaligned(fromByteOffset: 208, as: UInt16.self))
      for half in 0..<2 {
        let low = bytes + 64 * half
        let high = bytes + 128 + 32 * half
        let scales = bytes + 192 + 8 * half
        let values = target + 256 * block + 128 * half
        for quarter in 0..<4 {
          let lowBytes = low + 32 * (quarter & 1)
          let lowShift = Int32(4 * (quarter >> 1))
          let highShift = Int32(2 * quarter)
          for i in 0..<32 {
            let nibble = Int32(lowBytes.load(fromByteOffset: i, as: UInt8.self)) &>> lowShift & 15
            let pair = Int32(high.load(fromByteOffset: i, as: UInt8.self)) &>> highShift & 3
            let step =
              scale * Float(scales.load(fromByteOffset: 2 &* quarter &+ i / 16, as: Int8.self))
            values[32 &* quarter &+ i] = step * Float(nibble | pair << 4 &- 32)
          }
        }
      }
    }
  }
}
