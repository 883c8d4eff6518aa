package import TritCore

/// Rows of a ternary tensor as it lies in a file, as float values, one at a time and without
/// allocating: what an embedding table asks for.
package struct RowDecoder: Sendable {
  /// Bytes of a row.
  package let rowBytes: Int
  private let columns: Int
  private let blocks: (any BlockPacking)?
  /// The one scale of an I2_S tensor.
  private let scale: Float

  /// A decoder of rows of `packing`, whose `bytes` of `[rows, columns]` are checked as a whole, so
  /// that no row need be again. Nil for packings whose rows do not stand one after the other (TL1,
  /// TL2). Throws `badData` for codes that stand for no weight, and for scales that are not finite.
  package init?(
    _ packing: any Packing, checking bytes: UnsafeRawBufferPointer, rows: Int, columns: Int
  ) throws {
    guard packing is any BlockPacking || packing is I2SPacking else { return nil }
    let packed = try packing.read(bytes, rows: rows, columns: columns, scales: nil)
    self.columns = columns
    blocks = packing as? any BlockPacking
    scale = packed.scales[0]
    rowBytes =
      packing is I2SPacking
      ? columns / 4 : packing.byteCount(rows: rows, columns: columns) / rows
  }

  /// Writes the values of the row at `bytes`.
  package func decode(_ bytes: UnsafePointer<UInt8>, into values: UnsafeMutablePointer<Float>) {
    if let blocks { return decode(bytes, blocks, into: values) }
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: I2SPacking.block) { trits in
      guard let trits = trits.baseAddress else { return }
      for block in 0..<columns / I2SPacking.block {
        I2SPacking.unpackBlock(bytes + 32 * block, into: trits)
        let out = values + block * I2SPacking.block
        for index in 0..<I2SPacking.block { out[index] = Float(trits[index]) * scale }
      }
    }
  }

  private func decode<Blocks: BlockPacking>(
    _ bytes: UnsafePointer<UInt8>, _ packing: Blocks, into values: UnsafeMutablePointer<Float>
  ) {
    packing.decodeBlocks(bytes, count: columns / Blocks.columns, into: values)
  }
}
