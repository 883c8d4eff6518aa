import TritCore
package import TritFormats
import TritKernels

/// The embedding matrix as it lies in the file: rows are widened when a token asks for one, so that
/// the largest matrix of the model is not held a second time in float32. Floats and ternary
/// containers alike.
package struct EmbeddingTable: Sendable {
  /// Tokens.
  package let rows: Int
  /// Width of a row.
  package let columns: Int
  private let source: any TensorSource
  private let type: TensorType
  private let base: UInt
  private let rowBytes: Int
  /// How rows of trits become values; nil for floats.
  private let trits: RowDecoder?
  /// The bytes where they are not the file's: I2_S of another layout.
  private let own: AlignedBuffer<UInt8>?

  /// Views the tensor `name`. Throws where its rows do not end on a byte boundary of its type, and
  /// for ternary containers whose codes are illegal or whose rows do not lie one by one.
  package init(_ name: String, in source: any TensorSource) throws {
    guard let info = source.info(name), info.shape.count == 2, info.shape[0] > 0 else {
      throw LabError(.badData, "tensor '\(name)' is not a matrix", at: source.path)
    }
    rows = info.shape[0]
    columns = info.shape[1]
    self.source = source
    type = info.type
    let bytes = try source.bytes(name)
    if TernaryTensors.isContainer(info.type) {
      (trits, own) = try TernaryTensors.rowDecoder(info, from: source)
      guard let trits else {
        throw LabError(
          .badData, "an embedding in this ternary container is not supported",
          at: "\(source.path): \(name)",
          expected: "a float type, or Q1_0, Q2_0, PQ2_0, PTQ1_0, TQ1_0, TQ2_0 or I2_S",
          got: "\(info.type.name), whose rows lie side by side in tiles",
          advice: "take a GGUF file of the model whose embedding has one of these types")
      }
      rowBytes = trits.rowBytes
      base = own.map { UInt(bitPattern: $0.base) } ?? UInt(bitPattern: bytes.baseAddress)
      return
    }
    (trits, own) = (nil, nil)
    guard info.byteCount % rows == 0 else {
      throw LabError(
        .badData, "rows of tensor '\(name)' do not end at whole blocks", at: source.path,
        expected: "a width that is a multiple of the block of \(info.type)", got: "\(columns)")
    }
    rowBytes = info.byteCount / rows
    base = UInt(bitPattern: bytes.baseAddress)
    // Decoding one row now makes a type without a decoder fail at load, not at the first token.
    let probe = AlignedBuffer<Float>(count: columns)
    guard try FloatDecoding.decode(row(0), as: type, to: probe.mutableBuffer) else {
      throw LabError(
        .badData, "an embedding of this type is not supported",
        at: "\(source.path): \(name)", expected: "float16, bfloat16, float32, Q8_0, Q6_K or Q4_0",
        got: "\(info.type)")
    }
  }

  /// Widens the row of `token` into `output` `[columns]`.
  package func load(_ token: Int, into output: UnsafeMutableBufferPointer<Float>) throws {
    if let trits, let out = output.baseAddress,
      let at = UnsafePointer<UInt8>(bitPattern: base + UInt(token * rowBytes))
    {
      return trits.decode(at, into: out)
    }
    _ = try FloatDecoding.decode(row(token), as: type, to: output)
  }

  private func row(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: base).map { $0 + index * rowBytes }, count: rowBytes)
  }
}
