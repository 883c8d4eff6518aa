import TritCore

/// I2_S blocks: 32 bytes, 128 trits, in quarters of 32 that are decoded one by one where a group of
/// scales begins or ends within a block.
struct I2SCodec: RowCodec {
  static let alignment = 32
  static let run = 128
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    if columns.lowerBound % 128 == 0 {
      I2SPacking.unpackBlock(row + columns.lowerBound / 4, into: scratch)
      return UnsafePointer(scratch)
    }
    var out = scratch
    for start in stride(from: columns.lowerBound, to: columns.upperBound, by: 32) {
      let bytes = row + start / 128 * 32
      let shift = UInt8(6 - start % 128 / 32 * 2)
      for p in 0..<32 { out[p] = Int8(bitPattern: bytes[p] &>> shift & 3) &- 1 }
      out += 32
    }
    return UnsafePointer(scratch)
  }
}

/// TQ2_0 blocks: 66 bytes, 256 trits; the float16 scale in them is passed over.
struct TQ2Codec: RowCodec {
  static let alignment = 256
  static let run = 256
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    TQ2Packing.unpackBlock(row + columns.lowerBound / 256 * TQ2Packing.blockBytes, into: scratch)
    return UnsafePointer(scratch)
  }
}

/// TQ1_0 blocks: 54 bytes, 256 trits; the float16 scale in them is passed over.
struct TQ1Codec: RowCodec {
  static let alignment = 256
  static let run = 256
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    TQ1Packing.unpackBlock(row + columns.lowerBound / 256 * TQ1Packing.blockBytes, into: scratch)
    return UnsafePointer(scratch)
  }
}

/// Base-3 bytes: five trits each, by one table of 256 entries.
struct Base3Codec: RowCodec {
  static let alignment = 1
  static let run = 320
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int
  /// Eight bytes for each byte value, five of them trits.
  private let table: AlignedBuffer<SIMD8<Int8>>

  init(bytes: AlignedBuffer<UInt8>, rowBytes: Int) {
    self.bytes = bytes
    self.rowBytes = rowBytes
    table = AlignedBuffer(Base3Packing.digits)
  }

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    // Eight trits are written where five count: the next five overwrite the rest.
    let skipped = columns.lowerBound % 5
    let first = columns.lowerBound / 5
    let count = (skipped + columns.count + 4) / 5
    let table = table.base
    var out = UnsafeMutableRawPointer(scratch)
    for index in first..<(first + count) {
      out.storeBytes(of: table[Int(row[index])], as: SIMD8<Int8>.self)
      out += 5
    }
    return UnsafePointer(scratch + skipped)
  }
}

/// Plain bytes: they lie where they are needed.
struct Int8Codec: RowCodec {
  static let alignment = 1
  static let run = 4096
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    UnsafeRawPointer(row + columns.lowerBound).assumingMemoryBound(to: Int8.self)
  }
}

/// Two nibbles a byte, sign-extended.
struct Int4Codec: RowCodec {
  static let alignment = 2
  static let run = 256
  let bytes: AlignedBuffer<UInt8>
  let rowBytes: Int

  @inline(__always) func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8> {
    let first = columns.lowerBound / 2
    for index in 0..<((columns.count + 1) / 2) {
      let byte = row[first + index]
      scratch[2 * index] = Int4Packing.value(byte, 0)
      scratch[2 * index + 1] = Int4Packing.value(byte, 1)
    }
    return UnsafePointer(scratch)
  }
}
