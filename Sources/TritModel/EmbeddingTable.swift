import TritCore
import TritFormats

/// The embedding matrix as it lies in the file: rows are widened when a token asks for one, so that
/// the largest matrix of the model is not held a second time in float32.
struct EmbeddingTable: Sendable {
  let rows: Int
  let columns: Int
  private let source: any TensorSource
  private let type: TensorType
  private let base: UInt
  private let rowBytes: Int

  /// Views the tensor `name`. Throws where its rows do not end on a byte boundary of its type.
  init(_ name: String, in source: any TensorSource) throws {
    guard let info = source.info(name), info.shape.count == 2, info.shape[0] > 0 else {
      throw LabError(.badData, "tensor '\(name)' is not a matrix", at: source.path)
    }
    rows = info.shape[0]
    columns = info.shape[1]
    self.source = source
    type = info.type
    guard info.byteCount % rows == 0 else {
      throw LabError(
        .badData, "rows of tensor '\(name)' do not end at whole blocks", at: source.path,
        expected: "a width that is a multiple of the block of \(info.type)", got: "\(columns)")
    }
    rowBytes = info.byteCount / rows
    let bytes = try source.bytes(name)
    base = UInt(bitPattern: bytes.baseAddress)
    // Decoding one row now makes a type without a decoder fail at load, not at the first token.
    let probe = AlignedBuffer<Float>(count: columns)
    guard try FloatDecoding.decode(row(0), as: type, to: probe.mutableBuffer) else {
      throw LabError(
        .badData, "an embedding in a ternary container is not supported",
        at: "\(source.path): \(name)",
        expected: "float16, bfloat16, float32, Q8_0, Q6_K or Q4_0", got: "\(info.type)")
    }
  }

  /// Widens the row of `token` into `output` `[columns]`.
  func load(_ token: Int, into output: UnsafeMutableBufferPointer<Float>) throws {
    _ = try FloatDecoding.decode(row(token), as: type, to: output)
  }

  private func row(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: base).map { $0 + index * rowBytes }, count: rowBytes)
  }
}
