public import TritCore

/// TQ2_0 of llama.cpp: two bits a trit in blocks of 256, each with its own float16 scale.
///
/// Layout: a block is 64 bytes of codes (trit + 1) and the scale, little-endian. Each half of 32
/// bytes holds 128 weights: byte `m` has weight m in bits 1:0, m + 32 in 3:2, m + 64 in 5:4, m + 96
/// in 7:6. Plain shifts by a constant then give 32 weights in order.
///
/// Size: 66 bytes for 256 weights, 2.0625 bits each; columns in multiples of 256.
///
/// Scales are rounded to float16 on packing, and one scale per tensor or row is written into every
/// block; `unpack` gives groups of 256. That rounding is the only loss.
///
/// This is *not* I2_S: there the first quarter sits in the *high* bits and the scale at the very
/// end.
///
/// Source: ggml-org/llama.cpp, `ggml-quants.c` (`quantize_row_tq2_0_ref`), GGUF type 35.
public struct TQ2Packing: Packing, BlockPacking {
  static let blockBytes = 66

  /// `tq2_0`.
  public let name = "tq2_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 256; scales per tensor, row, or groups of a multiple of 256.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 66 bytes a block.
  public func byteCount(rows: Int, columns: Int) -> Int {
    blockByteCount(rows: rows, columns: columns)
  }

  /// Packs trits; scales are rounded to float16.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix { try packBlocks(weights) }

  /// The trits again, with a scale per group of 256.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights { try unpackBlocks(packed) }

  /// Reads a tensor of a file; the scales are in the blocks, `scales` is not looked at.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    try readBlocks(bytes, rows: rows, columns: columns)
  }

  /// Whether all codes stand for zero, which is looked for in the bytes.
  public func isZero(_ packed: PackedMatrix) -> Bool { isZeroInBlocks(packed) }

  /// `scale` rounded to float16.
  public func storedScale(_ scale: Float) -> Float { Float(Float16(scale)) }

  @inline(__always) static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for half in 0..<2 {
      let w = trits + half * 128
      for m in 0..<32 {
        let a = UInt8(bitPattern: w[m] &+ 1)
        let b = UInt8(bitPattern: w[m + 32] &+ 1)
        let c = UInt8(bitPattern: w[m + 64] &+ 1)
        let d = UInt8(bitPattern: w[m + 96] &+ 1)
        bytes[half * 32 + m] = a | b << 2 | c << 4 | d << 6
      }
    }
  }

  @inline(__always) static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    for half in 0..<2 {
      let w = trits + half * 128
      for m in 0..<32 {
        let byte = bytes[half * 32 + m]
        w[m] = Int8(bitPattern: byte & 3) &- 1
        w[m + 32] = Int8(bitPattern: byte >> 2 & 3) &- 1
        w[m + 64] = Int8(bitPattern: byte >> 4 & 3) &- 1
        w[m + 96] = Int8(bitPattern: byte >> 6) &- 1
      }
    }
  }

  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? {
    for index in 0..<64 {
      let byte = Int(bytes[index])
      for quarter in 0..<4 where byte >> (2 * quarter) & 3 == 3 {
        return index / 32 * 128 + quarter * 32 + index % 32
      }
    }
    return nil
  }
}
