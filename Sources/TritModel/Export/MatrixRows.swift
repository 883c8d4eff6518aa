import TritCore
import TritFormats

/// Embedding or head as float rows, a few at a time, whatever the tensor's type: floats, blocks
/// that end with a row, or a ternary container.
struct MatrixRows {
  private let name: String
  private let source: any TensorSource
  private let info: TensorInfo
  private let table: EmbeddingTable?

  /// Views the matrix `name`. Throws `badData` where its rows share blocks.
  init(_ name: String, in source: any TensorSource) throws {
    guard let info = source.info(name), info.shape.count == 2, info.shape[0] > 0 else {
      throw LabError(.badData, "tensor '\(name)' is not a matrix", at: source.path)
    }
    self.name = name
    self.source = source
    self.info = info
    if TernaryTensors.isContainer(info.type) {
      table = try EmbeddingTable(name, in: source)
      return
    }
    table = nil
    guard info.byteCount.isMultiple(of: info.shape[0]), info.type.block != nil else {
      throw LabError(
        .badData, "tensor '\(name)' of type \(info.type.name) cannot be read row by row",
        at: source.path, advice: "leave its type as it is")
    }
  }

  /// Writes the values of the rows in `range` side by side, and gives their pages back.
  func read(_ range: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    if let table {
      for row in range {
        let start = (row - range.lowerBound) * table.columns
        try table.load(
          row, into: UnsafeMutableBufferPointer(rebasing: values[start..<start + table.columns]))
      }
      return
    }
    let rowBytes = info.byteCount / info.shape[0]
    let part = range.lowerBound * rowBytes..<range.upperBound * rowBytes
    _ = try FloatDecoding.decode(
      UnsafeRawBufferPointer(rebasing: try source.bytes(name)[part]), as: info.type, to: values)
    source.release(name, part)
  }
}
