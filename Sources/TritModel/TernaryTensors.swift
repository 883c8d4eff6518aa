import TritCore
import TritFormats
import TritKernels

/// Reading of tensors that already hold trits, in whatever container, exactly.
package enum TernaryTensors {
  /// The packings that files may ask for.
  package static let packings = [
    "i2_s", "tq1_0", "tq2_0", "q2_0", "pq2_0", "ptq1_0", "q1_0", "tl1", "tl2",
  ]

  /// Whether tensors of `type` hold trits.
  package static func isContainer(_ type: TensorType) -> Bool { packing(of: type) != nil }

  /// The packing whose bytes a tensor of `type` has, all but Q1_0 registered under that name.
  package static func packing(of type: TensorType) -> String? {
    switch type {
    case .i2_s: "i2_s"
    case .tq1_0: "tq1_0"
    case .tq2_0: "tq2_0"
    case .q2_0: "q2_0"
    case .pq2_0: "pq2_0"
    case .ptq1_0: "ptq1_0"
    case .q1_0: "q1_0"
    case .tl1: "tl1"
    case .tl2: "tl2"
    default: nil
    }
  }

  /// The packing called `name` of `packings`. Q1_0 has no zero, and so is no choice for ternary
  /// weights: it is not among them.
  static func packing(_ name: String, in packings: Registry<any Packing>) throws -> any Packing {
    name == "q1_0" ? Q1Packing() : try packings.make(StageChoice(name))
  }

  /// The trits and scales of a GGUF ternary tensor `[rows, columns]`, whatever its container, every
  /// code and scale checked: what looks into tensors without an engine asks for. I2_S lies as the
  /// source was opened (`GGUFFile.i2sLayout`), or as `layout` says. Throws `badData` that names the
  /// tensor and what is wrong.
  package static func matrix(
    _ info: TensorInfo, from source: any TensorSource, i2sLayout layout: I2SLayout? = nil
  ) throws -> TernaryMatrix {
    let (packed, packing) = try packed(info, from: source, packings: .standard, i2sLayout: layout)
    return try unpack(packed, by: packing, info, from: source)
  }

  /// The bytes of a GGUF ternary tensor `[rows, columns]`, every code and scale checked. There are
  /// as few scales as say the same: one for the tensor or for each row, as tensor-scaled models
  /// look in formats that repeat it, which opens them to every kernel; else groups as wide as can
  /// be.
  static func packed(
    _ info: TensorInfo, from source: any TensorSource, packings: Registry<any Packing>,
    i2sLayout: I2SLayout? = nil
  ) throws -> (PackedMatrix, any Packing) {
    guard let name = packing(of: info.type), info.shape.count == 2 else {
      throw LabError(
        .badData, "tensor '\(info.name)' does not hold ternary weights", at: source.path,
        got: "\(info.type) \(info.shape)")
    }
    let packing = try packing(name, in: packings)
    return try placed(info, source) {
      let packed = try read(
        try source.bytes(info.name), info, by: packing,
        i2sLayout ?? (source as? GGUFFile)?.i2sLayout ?? .blocks128)
      // Block formats have signed scales; a file with one below zero means just that.
      if let bad = packed.scales.first(where: { !$0.isFinite }) {
        throw LabError(
          .badData, "a weight scale is not a finite number", at: place(info, source),
          expected: "finite scales", got: "\(bad)")
      }
      return (packed.collapsed, packing)
    }
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ info: TensorInfo, by packing: any Packing,
    _ layout: I2SLayout
  ) throws -> PackedMatrix {
    let (rows, columns) = (info.shape[0], info.shape[1])
    func relaid(_ buffer: AlignedBuffer<UInt8>) throws -> PackedMatrix {
      try withExtendedLifetime(buffer) {
        try packing.read(buffer.rawBuffer, rows: rows, columns: columns, scales: nil)
      }
    }
    switch (info.type, layout) {
    case (.i2_s, .arm64):
      return try relaid(I2SPacking.fromBlocks64(bytes, rows: rows, columns: columns))
    case (.i2_s, .rows4):
      return try relaid(I2SPacking.fromFourRows(bytes, rows: rows, columns: columns))
    default: return try packing.read(bytes, rows: rows, columns: columns, scales: nil)
    }
  }

  /// The rows of a ternary tensor as trits, some at a time, whose codes were checked before; nil
  /// for one whose blocks are not of rows.
  package static func headRows(_ info: TensorInfo, from source: any TensorSource) throws
    -> TernaryHeadRows?
  {
    guard let block = info.type.block, let name = packing(of: info.type), info.shape.count == 2
    else { return nil }
    let packing = try packing(name, in: .standard)
    let columns = info.shape[1]
    let rowBytes = info.byteCount / max(info.shape[0], 1)
    return TernaryHeadRows(group: block.elements, hasHalfScales: true) { range in
      let part = range.lowerBound * rowBytes..<range.upperBound * rowBytes
      let packed = try packing.read(
        UnsafeRawBufferPointer(rebasing: try source.bytes(info.name)[part]), rows: range.count,
        columns: columns, scales: nil)
      guard case .ternary(let matrix) = try packing.unpack(packed) else {
        throw LabError(.internalError, "packing '\(packing.name)' did not unpack to trits")
      }
      source.release(info.name, part)
      return matrix
    }
  }

  /// What decodes single rows of a ternary tensor `[rows, columns]`, all codes checked; nil where
  /// its rows lie in tiles. `relaid`: the bytes to read rows from where they are not the file's.
  static func rowDecoder(_ info: TensorInfo, from source: any TensorSource) throws -> (
    decoder: RowDecoder?, relaid: AlignedBuffer<UInt8>?
  ) {
    guard let name = packing(of: info.type), info.shape.count == 2 else { return (nil, nil) }
    let packing = try packing(name, in: .standard)
    let (rows, columns) = (info.shape[0], info.shape[1])
    return try placed(info, source) {
      var bytes = try source.bytes(info.name)
      var relaid: AlignedBuffer<UInt8>?
      switch (source as? GGUFFile)?.i2sLayout {
      case .arm64 where info.type == .i2_s:
        relaid = try I2SPacking.fromBlocks64(bytes, rows: rows, columns: columns)
      case .rows4 where info.type == .i2_s:
        relaid = try I2SPacking.fromFourRows(bytes, rows: rows, columns: columns)
      default: break
      }
      if let relaid { bytes = relaid.rawBuffer }
      let decoder = try withExtendedLifetime(relaid) {
        try RowDecoder(packing, checking: bytes, rows: rows, columns: columns)
      }
      return (decoder, relaid)
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

  private static func checkScales(_ scales: [Float], place: String) throws {
    if let bad = scales.first(where: { !($0.isFinite && $0 >= 0) }) {
      throw LabError(
        .badData, "a weight scale is not a finite number", at: place,
        expected: "finite scales of at least 0", got: "\(bad)")
    }
  }
}
