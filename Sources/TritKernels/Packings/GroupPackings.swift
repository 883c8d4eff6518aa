public import TritCore

/// Two bits a trit in blocks with a float16 scale before the codes: what Q2_0 and PQ2_0 share.
///
/// Byte `j / 4` holds weight j in the bits 2 (j mod 4) and above: neighbours share a byte, the
/// first in the lowest bits. Code = trit + 1. Code 3 is +2 to the decoders of llama.cpp, whose
/// quantizers never write it: it is refused, never taken for another value.
///
/// This is *not* TQ2_0 (scale behind, neighbours in different bytes) nor I2_S.
protocol TwoBitNeighbours: BlockPacking {}

extension TwoBitNeighbours {
  static var isScaleFirst: Bool { true }
  static var illegalCode: String { "code 3 (+2 to llama.cpp, which no trit is)" }

  @inline(__always) static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for index in 0..<columns / 4 {
      let w = trits + 4 * index
      let a = UInt8(bitPattern: w[0] &+ 1)
      let b = UInt8(bitPattern: w[1] &+ 1)
      let c = UInt8(bitPattern: w[2] &+ 1)
      let d = UInt8(bitPattern: w[3] &+ 1)
      bytes[index] = a | b << 2 | c << 4 | d << 6
    }
  }

  @inline(__always) static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    for index in 0..<columns / 4 {
      let byte = bytes[index]
      let w = trits + 4 * index
      w[0] = Int8(bitPattern: byte & 3) &- 1
      w[1] = Int8(bitPattern: byte >> 2 & 3) &- 1
      w[2] = Int8(bitPattern: byte >> 4 & 3) &- 1
      w[3] = Int8(bitPattern: byte >> 6) &- 1
    }
  }

  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? {
    for index in 0..<columns / 4 {
      // A code of 3 has both bits set.
      let threes = bytes[index] & bytes[index] >> 1 & 0x55
      if threes != 0 { return 4 * index + threes.trailingZeroBitCount / 2 }
    }
    return nil
  }
}

/// Q2_0 of llama.cpp: two bits a trit in blocks of 64, each with a float16 scale before it.
///
/// Size: 18 bytes for 64 weights, 2.25 bits each; columns in multiples of 64.
///
/// Source: ggml-org/llama.cpp, `ggml-common.h` (`block_q2_0`), GGUF type 42.
public struct Q2Packing: Packing, TwoBitNeighbours {
  static let columns = 64
  static let blockBytes = 18

  /// `q2_0`.
  public let name = "q2_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 64; scales per tensor, row, or groups of a multiple of 64.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 18 bytes a block.
  public func byteCount(rows: Int, columns: Int) -> Int {
    blockByteCount(rows: rows, columns: columns)
  }

  /// Packs trits; scales are rounded to float16.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix { try packBlocks(weights) }

  /// The trits again, with a scale per group of 64.
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
}

/// PQ2_0 of PrismML's llama.cpp: Q2_0 in blocks of 128. Older files of the same have type 42, and
/// are told from llama.cpp's Q2_0 by their size.
///
/// Size: 34 bytes for 128 weights, 2.125 bits each; columns in multiples of 128.
///
/// Source: PrismML-Eng/llama.cpp, `ggml-quants.c`, GGUF type 142.
public struct PQ2Packing: Packing, TwoBitNeighbours {
  static let columns = 128
  static let blockBytes = 34

  /// `pq2_0`.
  public let name = "pq2_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 128; scales per tensor, row, or groups of a multiple of 128.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 34 bytes a block.
  public func byteCount(rows: Int, columns: Int) -> Int {
    blockByteCount(rows: rows, columns: columns)
  }

  /// Packs trits; scales are rounded to float16.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix { try packBlocks(weights) }

  /// The trits again, with a scale per group of 128.
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
}

/// PTQ1_0 of PrismML's llama.cpp: five trits a byte in blocks of 128, a float16 scale behind.
///
/// Bytes are those of TQ1_0: `⌈256 v / 243⌉` of five digits, the first the most significant. 16
/// bytes hold the weights 0–79, byte m the weights m, m + 16, m + 32, m + 48 and m + 64; 8 bytes
/// hold 80–119 in steps of 8; two bytes with four digits each hold 120–127 in steps of 2.
///
/// Size: 28 bytes for 128 weights, 1.75 bits each; columns in multiples of 128.
///
/// Source: PrismML-Eng/llama.cpp, GGUF type 143.
public struct PTQ1Packing: Packing, BlockPacking {
  static let columns = 128
  static let blockBytes = 28

  /// `ptq1_0`.
  public let name = "ptq1_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 128; scales per tensor, row, or groups of a multiple of 128.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 28 bytes a block.
  public func byteCount(rows: Int, columns: Int) -> Int {
    blockByteCount(rows: rows, columns: columns)
  }

  /// Packs trits; scales are rounded to float16.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix { try packBlocks(weights) }

  /// The trits again, with a scale per group of 128.
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

  private static let runs: [FractionRun] = [
    FractionRun(first: 0, count: 16, weight: 0, digits: 5),
    FractionRun(first: 16, count: 8, weight: 80, digits: 5),
    FractionRun(first: 24, count: 2, weight: 120, digits: 4),
  ]

  static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for run in runs { run.pack(trits, into: bytes) }
  }

  @inline(__always) static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    FractionRun.unpack(bytes, count: 16, digits: 5, into: trits)
    FractionRun.unpack(bytes + 16, count: 8, digits: 5, into: trits + 80)
    FractionRun.unpack(bytes + 24, count: 2, digits: 4, into: trits + 120)
  }

  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? {
    runs.lazy.compactMap { $0.firstIllegal(bytes) }.first
  }
}

/// Q1_0 of llama.cpp: a sign a weight in blocks of 128 with a float16 scale before it: ±scale, and
/// no zero.
///
/// Bit j mod 8 of byte j / 8 is 1 for +1 and 0 for −1. Every byte is legal.
///
/// Size: 18 bytes for 128 weights, 1.125 bits each; columns in multiples of 128.
///
/// It is read from files and is no choice in the registry: a packing there takes ternary weights,
/// and this one has no zero.
///
/// Source: ggml-org/llama.cpp, `ggml-quants.c` (`quantize_row_q1_0_ref`), GGUF type 41.
public struct Q1Packing: Packing, BlockPacking {
  static let columns = 128
  static let blockBytes = 18
  static let isScaleFirst = true

  /// `q1_0`.
  public let name = "q1_0"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 128; scales per tensor, row, or groups of a multiple of 128.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkBlocks(rows: rows, columns: columns, granularity: granularity)
  }

  /// 18 bytes a block.
  public func byteCount(rows: Int, columns: Int) -> Int {
    blockByteCount(rows: rows, columns: columns)
  }

  /// The trits again, with a scale per group of 128.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights { try unpackBlocks(packed) }

  /// Reads a tensor of a file; the scales are in the blocks, `scales` is not looked at.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    try readBlocks(bytes, rows: rows, columns: columns)
  }

  /// `scale` rounded to float16.
  public func storedScale(_ scale: Float) -> Float { Float(Float16(scale)) }

  /// Packs −1 and +1; throws `badData` that names the first weight that is zero.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try ternary(weights)
    let trits = matrix.trits
    if let index = (0..<trits.count).first(where: { trits.base[$0] == 0 }) {
      throw LabError(
        .badData, "packing 'q1_0' has no code for zero",
        at: "row \(index / matrix.columns), column \(index % matrix.columns)",
        expected: "weights of -1 and +1", got: "0",
        advice: "use packing 'pq2_0' or 'q2_0', which have one, or quantizer 'sign'")
    }
    return try packBlocks(weights)
  }

  /// False: no code is zero.
  public func isZero(_ packed: PackedMatrix) -> Bool { false }

  static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for index in 0..<16 {
      var byte: UInt8 = 0
      for bit in 0..<8 where trits[8 * index + bit] > 0 { byte |= 1 << UInt8(bit) }
      bytes[index] = byte
    }
  }

  @inline(__always) static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    for index in 0..<16 {
      let byte = bytes[index]
      for bit in 0..<8 {
        trits[8 * index + bit] = Int8(truncatingIfNeeded: Int(byte >> UInt8(bit) & 1) * 2 - 1)
      }
    }
  }

  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? { nil }
}
