import TritCore
import TritFormats
import TritKernels

/// Reading of tensors that already hold trits, in whatever container, exactly.
package enum TernaryTensors {
  /// Whether tensors of `type` hold trits.
  static func isContainer(_ type: TensorType) -> Bool { packing(of: type) != nil }

  /// The registered packing whose bytes a tensor of `type` has.
  static func packing(of type: TensorType) -> String? {
    switch type {
    case .i2_s: "i2_s"
    case .tq1_0: "tq1_0"
    case .tq2_0: "tq2_0"
    case .tl1: "tl1"
    case .tl2: "tl2"
    default: nil
    }
  }

  /// Reads a GGUF ternary tensor `[rows, columns]` through its packing.
  static func read(
    _ info: TensorInfo, from source: any TensorSource, packings: Registry<any Packing>
  ) throws -> TernaryMatrix {
    guard let name = packing(of: info.type), info.shape.count == 2 else {
      throw LabError(
        .badData, "tensor '\(info.name)' does not hold ternary weights", at: source.path,
        got: "\(info.type) \(info.shape)")
    }
    let packing = try packings.make(StageChoice(name))
    let place = "\(source.path): \(info.name)"
    do {
      let packed = try packing.read(
        try source.bytes(info.name), rows: info.shape[0], columns: info.shape[1], scales: nil)
      guard case .ternary(let matrix) = try packing.unpack(packed) else {
        throw LabError(.internalError, "packing '\(name)' did not unpack to trits", at: place)
      }
      return try collapsed(checkingScales(of: matrix, place: place))
    } catch let error as LabError {
      throw error.place?.contains(info.name) == true ? error : error.inside(place)
    }
  }

  /// Reads a Hugging Face packed tensor, uint8 `[ceil(rows / 4), columns]`: bits `2i+1…2i` of byte
  /// `(r, c)` are the code (trit + 1) of row `i · ceil(rows / 4) + r`.
  ///
  /// Source: transformers `integrations/bitnet.py`, `pack_weights`. Not I2_S: there a byte mixes columns,
  /// here it mixes rows.
  package static func readHuggingFace(
    _ info: TensorInfo, rows: Int, columns: Int, scale: Float, from source: any TensorSource
  ) throws -> TernaryMatrix {
    let plane = (rows + 3) / 4
    guard info.shape == [plane, columns] else {
      throw LabError(
        .badData, "tensor '\(info.name)' has the wrong shape", at: source.path,
        expected: "[\(plane), \(columns)] (four rows a byte, \(rows) rows)", got: "\(info.shape)")
    }
    let bytes = try source.bytes(info.name)
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      throw LabError(.badData, "tensor '\(info.name)' is empty", at: source.path)
    }
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    for quarter in 0..<4 {
      let shift = UInt8(2 * quarter)
      for row in 0..<plane where quarter * plane + row < rows {
        let input = base + row * columns
        let output = trits.base + (quarter * plane + row) * columns
        var worst: UInt8 = 0
        for column in 0..<columns {
          let code = (input[column] >> shift) & 3
          worst = max(worst, code)
          output[column] = Int8(truncatingIfNeeded: code) - 1
        }
        guard worst < 3 else {
          throw LabError(
            .badData, "tensor '\(info.name)' holds a code that stands for no trit",
            at: "\(source.path): \(info.name)[\(quarter * plane + row)]",
            expected: "2-bit codes 0, 1, 2", got: "3",
            advice: "the file is corrupt, or these are not packed ternary weights")
        }
      }
    }
    let matrix = TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale])
    return try checkingScales(of: matrix, place: "\(source.path): \(info.name)")
  }

  /// The trits of `matrix` if it holds nothing but −s, 0 and +s for one s: what converters write for
  /// ternary models into float files.
  static func exact(_ matrix: Matrix<Float>) -> TernaryMatrix? {
    let count = matrix.rows * matrix.columns
    let values = matrix.storage.base
    var scale: Float = 0
    for index in 0..<count where values[index] != 0 {
      let magnitude = values[index].magnitude
      if scale == 0 { scale = magnitude }
      if magnitude != scale { return nil }
    }
    guard scale > 0 else { return nil }
    let trits = AlignedBuffer<Int8>(count: count)
    for index in 0..<count {
      trits.base[index] = values[index] > 0 ? 1 : values[index] < 0 ? -1 : 0
    }
    return TernaryMatrix(
      rows: matrix.rows, columns: matrix.columns, trits: trits, scales: [scale])
  }

  private static func checkingScales(of matrix: TernaryMatrix, place: String) throws
    -> TernaryMatrix
  {
    guard matrix.scales.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw LabError(
        .badData, "a weight scale is not a finite number", at: place,
        expected: "finite scales of at least 0",
        got: "\(matrix.scales.first { !($0.isFinite && $0 >= 0) } ?? .nan)")
    }
    return matrix
  }

  /// One scale for the tensor, where all group scales are the same: that is how tensor-scaled models
  /// look in block formats, and it opens them to every kernel.
  private static func collapsed(_ matrix: TernaryMatrix) -> TernaryMatrix {
    guard matrix.granularity != .tensor, let first = matrix.scales.first,
      matrix.scales.allSatisfy({ $0 == first })
    else { return matrix }
    return TernaryMatrix(
      rows: matrix.rows, columns: matrix.columns, trits: matrix.trits, scales: [first])
  }
}
