import TritCore
import TritFormats
import TritKernels

/// Reading of tensors that already hold trits, in whatever container, exactly.
package enum TernaryTensors {
  /// The packings that files may ask for.
  package static let packings = ["i2_s", "tq1_0", "tq2_0", "tl1", "tl2"]

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

  /// The bytes of a GGUF ternary tensor `[rows, columns]`, every code and scale checked. There is
  /// one scale where the format has written the same for every block, as tensor-scaled models look
  /// in it: that opens them to every kernel.
  static func packed(
    _ info: TensorInfo, from source: any TensorSource, packings: Registry<any Packing>
  ) throws -> (PackedMatrix, any Packing) {
    guard let name = packing(of: info.type), info.shape.count == 2 else {
      throw LabError(
        .badData, "tensor '\(info.name)' does not hold ternary weights", at: source.path,
        got: "\(info.type) \(info.shape)")
    }
    let packing = try packings.make(StageChoice(name))
    return try placed(info, source) {
      let packed = try packing.read(
        try source.bytes(info.name), rows: info.shape[0], columns: info.shape[1], scales: nil)
      try checkScales(packed.scales, place: place(info, source))
      let isUniform = packed.scales.allSatisfy { $0 == packed.scales.first }
      return (isUniform ? packed.collapsed : packed, packing)
    }
  }

  /// The trits of what `packed` has read.
  static func unpack(
    _ packed: PackedMatrix, by packing: any Packing, _ info: TensorInfo,
    from source: any TensorSource
  ) throws -> TernaryMatrix {
    try placed(info, source) {
      guard case .ternary(let matrix) = try packing.unpack(packed) else {
        throw LabError(.internalError, "packing '\(packing.name)' did not unpack to trits")
      }
      return matrix
    }
  }

  private static func place(_ info: TensorInfo, _ source: any TensorSource) -> String {
    "\(source.path): \(info.name)"
  }

  /// Errors of `body` say which tensor they are about.
  private static func placed<R>(
    _ info: TensorInfo, _ source: any TensorSource, _ body: () throws -> R
  ) throws -> R {
    do {
      return try body()
    } catch let error as LabError {
      throw error.place?.contains(info.name) == true ? error : error.inside(place(info, source))
    }
  }

  /// Reads a Hugging Face packed tensor, uint8 `[ceil(rows / 4), columns]`: bits `2i+1…2i` of byte
  /// `(r, c)` are the code (trit + 1) of row `i · ceil(rows / 4) + r`.
  ///
  /// Source: transformers `integrations/bitnet.py`, `pack_weights`. Not I2_S: there a byte mixes
  /// columns, here it mixes rows.
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
    try checkScales([scale], place: place(info, source))
    return TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale])
  }

  /// The trits of `matrix` if it holds nothing but −s, 0 and +s for one s: what converters write
  /// for ternary models into float files.
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

  private static func checkScales(_ scales: [Float], place: String) throws {
    if let bad = scales.first(where: { !($0.isFinite && $0 >= 0) }) {
      throw LabError(
        .badData, "a weight scale is not a finite number", at: place,
        expected: "finite scales of at least 0", got: "\(bad)")
    }
  }
}
