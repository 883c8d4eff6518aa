public import TritCore

/// Plain Swift on I2_S blocks. Any shape: a row whose columns are no multiple of 128 is padded with
/// zero weights in memory (a file of I2_S could not hold it). Scales per tensor, row, or groups of
/// a multiple of 32 columns.
public struct I2SScalarKernel: LinearKernel, AdoptingKernel {
  /// `i2_s/scalar`.
  public let name = "i2_s/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let matrix = try ternaryWeights(weights)
    let padded = paddedRows(matrix, block: I2SPacking.block, blockBytes: 32) {
      I2SPacking.packBlock($0, into: $1)
    }
    return try scalarLinear(
      integerWeights(weights), I2SCodec(bytes: padded.bytes, rowBytes: padded.rowBytes))
  }

  /// `i2_s`.
  public let adopts: String? = "i2_s"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, I2SPacking())
    _ = try rowScales(packed)
    return try scalarLinear(
      packed, I2SCodec(bytes: packed.bytes, rowBytes: packed.columns / 4))
  }
}

/// Plain Swift on TQ2_0 blocks. Any shape, rows padded to whole blocks in memory. The scales are
/// the weights' own float32 (per tensor, row, or groups of a multiple of 256), not the blocks'
/// float16: for weights read from TQ2_0 they are equal, for others nothing is lost.
public struct TQ2ScalarKernel: LinearKernel, AdoptingKernel {
  /// `tq2_0/scalar`.
  public let name = "tq2_0/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let matrix = try ternaryWeights(weights)
    let padded = paddedRows(matrix, block: blockColumns, blockBytes: TQ2Packing.blockBytes) {
      TQ2Packing.packBlock($0, into: $1)
    }
    return try scalarLinear(
      integerWeights(weights), TQ2Codec(bytes: padded.bytes, rowBytes: padded.rowBytes))
  }

  /// `tq2_0`.
  public let adopts: String? = "tq2_0"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, TQ2Packing())
    return try scalarLinear(
      packed,
      TQ2Codec(bytes: packed.bytes, rowBytes: packed.columns / blockColumns * TQ2Packing.blockBytes)
    )
  }
}

/// Plain Swift on TQ1_0 blocks, digits taken out by multiplication. Shapes and scales as
/// `TQ2ScalarKernel`.
public struct TQ1ScalarKernel: LinearKernel, AdoptingKernel {
  /// `tq1_0/scalar`.
  public let name = "tq1_0/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let matrix = try ternaryWeights(weights)
    let padded = paddedRows(matrix, block: blockColumns, blockBytes: TQ1Packing.blockBytes) {
      TQ1Packing.packBlock($0, into: $1)
    }
    return try scalarLinear(
      integerWeights(weights), TQ1Codec(bytes: padded.bytes, rowBytes: padded.rowBytes))
  }

  /// `tq1_0`.
  public let adopts: String? = "tq1_0"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, TQ1Packing())
    return try scalarLinear(
      packed,
      TQ1Codec(bytes: packed.bytes, rowBytes: packed.columns / blockColumns * TQ1Packing.blockBytes)
    )
  }
}

/// Plain Swift on base-3 bytes, five trits by one table look-up. Any shape and scales.
public struct Base3ScalarKernel: LinearKernel, AdoptingKernel {
  /// `base3/scalar`.
  public let name = "base3/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let matrix = try ternaryWeights(weights)
    let packed = try Base3Packing().pack(weights)
    return try scalarLinear(
      integerWeights(weights),
      Base3Codec(bytes: packed.bytes, rowBytes: (matrix.columns + 4) / 5))
  }

  /// `base3`.
  public let adopts: String? = "base3"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, Base3Packing())
    return try scalarLinear(
      packed, Base3Codec(bytes: packed.bytes, rowBytes: (packed.columns + 4) / 5))
  }
}

/// Plain Swift on signed bytes: integers of any width, or trits; any shape and scales.
public struct Int8ScalarKernel: LinearKernel, AdoptingKernel {
  /// `int8/scalar`.
  public let name = "int8/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs integers or trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let integers = try integerWeights(weights)
    let packed = try Int8Packing().pack(weights)
    return try scalarLinear(
      integers, Int8Codec(bytes: packed.bytes, rowBytes: integers.columns))
  }

  /// `int8`.
  public let adopts: String? = "int8"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, Int8Packing(), greatest: 128)
    return try scalarLinear(
      packed, Int8Codec(bytes: packed.bytes, rowBytes: packed.columns))
  }
}

/// Plain Swift on signed nibbles: integers of at most 4 bits, or trits; any shape, groups of scales
/// of even size.
public struct Int4ScalarKernel: LinearKernel, AdoptingKernel {
  /// `int4/scalar`.
  public let name = "int4/scalar"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Packs integers or trits.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let integers = try integerWeights(weights)
    guard (integers.bits ?? 2) <= 4 else {
      throw LabError.illegalPair(
        "kernel", name, takes: "ternary weights or integers of 2 to 4 bits", form: weights.form,
        advice: "use kernel 'int8' or 'dequantize', or quantizer 'int4'")
    }
    let packed = try Int4Packing().pack(weights)
    return try scalarLinear(
      integers, Int4Codec(bytes: packed.bytes, rowBytes: (integers.columns + 1) / 2))
  }

  /// `int4`.
  public let adopts: String? = "int4"

  /// Multiplies the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try checkAdopted(packed, Int4Packing(), greatest: 8)
    return try scalarLinear(
      packed, Int4Codec(bytes: packed.bytes, rowBytes: (packed.columns + 1) / 2))
  }
}

/// Rows of trits in whole blocks, the last one of each row filled up with zero weights.
func paddedRows(
  _ matrix: TernaryMatrix, block: Int, blockBytes: Int,
  pack: (UnsafePointer<Int8>, UnsafeMutablePointer<UInt8>) -> Void
) -> (bytes: AlignedBuffer<UInt8>, rowBytes: Int) {
  let blocks = (matrix.columns + block - 1) / block
  let bytes = AlignedBuffer<UInt8>(count: matrix.rows * blocks * blockBytes)
  let last = AlignedBuffer<Int8>(count: block)
  defer { withExtendedLifetime(last) {} }
  for row in 0..<matrix.rows {
    let trits = matrix.trits.base + row * matrix.columns
    for index in 0..<blocks {
      let count = min(block, matrix.columns - index * block)
      let out = bytes.base + (row * blocks + index) * blockBytes
      if count == block {
        pack(trits + index * block, out)
      } else {
        last.base.update(repeating: 0, count: block)
        last.base.update(from: trits + index * block, count: count)
        pack(last.base, out)
      }
    }
  }
  return (bytes, blocks * blockBytes)
}
