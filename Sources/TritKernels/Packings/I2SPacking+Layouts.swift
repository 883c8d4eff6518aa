import TritCore

extension I2SPacking {
  /// Bytes of an I2_S tensor `[rows, columns]` whose blocks are of 64 weights, in blocks of 128.
  ///
  /// A block of 64 weights is 16 bytes; byte p holds the weights p, 16 + p, 32 + p and 48 + p, the
  /// first in the top bits. Scale and tail are where they always are. Throws `badData` where the
  /// bytes are not the shape's.
  package static func fromBlocks64(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int
  ) throws -> AlignedBuffer<UInt8> {
    try relaid(bytes, rows: rows, columns: columns) { weight in
      let (block, place) = weight.quotientAndRemainder(dividingBy: 64)
      return (16 * block + place % 16, 6 - 2 * (place / 16))
    }
  }

  /// The same of four rows side by side: byte g · columns + k holds column k of the rows 4 g to
  /// 4 g + 3, the first in the top bits. Rows are a multiple of 4.
  package static func fromFourRows(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int
  ) throws -> AlignedBuffer<UInt8> {
    guard rows.isMultiple(of: 4) else {
      throw LabError(
        .badData, "I2_S with four rows side by side needs rows in multiples of 4",
        expected: "a multiple of 4", got: "\(rows) rows",
        advice: "the file is of another layout: --i2s-layout blocks128 or arm64")
    }
    return try relaid(bytes, rows: rows, columns: columns) { weight in
      let (row, column) = weight.quotientAndRemainder(dividingBy: columns)
      return (row / 4 * columns + column, 6 - 2 * (row % 4))
    }
  }

  /// `place`: byte and shift of a weight, counted row by row.
  private static func relaid(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, _ place: (Int) -> (Int, Int)
  ) throws -> AlignedBuffer<UInt8> {
    let packing = I2SPacking()
    try packing.check(rows: rows, columns: columns, granularity: .tensor)
    try packing.checkLength(bytes.count, rows: rows, columns: columns)
    let count = rows * columns
    let copy = AlignedBuffer<UInt8>(copying: bytes)
    for index in 0..<count / 4 { copy.base[index] = 0 }
    for weight in 0..<count {
      let (byte, shift) = place(weight)
      let code = bytes[byte] >> UInt8(shift) & 3
      let (number, rest) = weight.quotientAndRemainder(dividingBy: Self.block)
      copy.base[32 * number + rest % 32] |= code << UInt8(6 - 2 * (rest / 32))
    }
    return copy
  }
}
