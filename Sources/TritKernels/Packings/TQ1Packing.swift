public import TritCore

/// TQ1_0 of llama.cpp: five trits a byte in blocks of 256, each with its own float16 scale.
///
/// Layout: a block is 48 + 4 bytes of codes and the scale, little-endian. Five base-3 digits
/// (trit + 1, the first most significant) make v in 0…242, kept as the fixed-point fraction
/// ⌈256 v / 243⌉: multiplying the byte by 3 then moves the next digit into the bits above the byte,
/// so digits come out by multiplication instead of division. Byte m of the first 32 holds the
/// weights m + 32 n (n = 0…4), byte m of the next 16 the weights 160 + m + 16 n; the last four
/// bytes hold four digits and a zero, of the weights 240 + m + 4 n.
///
/// Size: 54 bytes for 256 weights, 1.6875 bits each; columns in multiples of 256.
///
/// Scales are rounded to float16 on packing, and one scale per tensor or row is written into every
/// block; `unpack` gives groups of 256. That rounding is the only loss.
///
/// This is *not* `base3`, which keeps v itself, five neighbours a byte, and the scales elsewhere.
///
/// Source: ggml-org/llama.cpp, `ggml-quants.c` (`quantize_row_tq1_0_ref`), GGUF type 34.
public struct TQ1Packing: Packing, BlockPacking {
  static let blockBytes = 54

  /// `tq1_0`.
  public let name = "tq1_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 256; scales per tensor, row, or groups of a multiple of 256.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 54 bytes a block.
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

  /// Runs of bytes with the same step between the weights of a byte: bytes, their count, first
  /// weight, digits a byte.
  private static let runs: [FractionRun] = [
    FractionRun(first: 0, count: 32, weight: 0, digits: 5),
    FractionRun(first: 32, count: 16, weight: 160, digits: 5),
    FractionRun(first: 48, count: 4, weight: 240, digits: 4),
  ]

  static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for run in runs { run.pack(trits, into: bytes) }
  }

  @inline(__always) static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    FractionRun.unpack(bytes, count: 32, digits: 5, into: trits)
    FractionRun.unpack(bytes + 32, count: 16, digits: 5, into: trits + 160)
    FractionRun.unpack(bytes + 48, count: 4, digits: 4, into: trits + 240)
  }

  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? {
    runs.lazy.compactMap { $0.firstIllegal(bytes) }.first
  }
}
