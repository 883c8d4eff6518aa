internal import CTritPlugin
public import TritCore
public import TritKernels

/// A kernel from outside, in C (`trit_kernel.h`): it packs trits and gives int32 sums; all else is
/// done here.
///
/// - Weights: ternary, one scale per tensor or row; of any shape, columns padded with the trit 0
///   where the kernel wants multiples. Scales per group would need a sum for each group, which a
///   kernel of this form does not give: they are refused, as are integers of more bits.
/// - Outputs: `Float(sum) · (s_x · s_w)`, the reference's formula, so the same floats bit for bit
///   where sums are exact.
/// - No allocation a product: sums are written where the outputs go, and turned into them there.
public struct CKernel: LinearKernel {
  /// The registered name.
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// What the CPU must have.
  public let features: CPUFeatures
  /// SHA-256 of the plug-in's source.
  public let digest: String
  let table: KernelTable

  init(_ entry: PluginLibrary.Entry, digest: String) {
    name = entry.name
    features = entry.features
    self.digest = digest
    table = entry.table
  }

  /// Bytes behind the packed ones that `pack` may not touch.
  private static let margin = 64
  private static let untouched: UInt8 = 0xA5

  /// Has the weights packed. Throws `usage` or `badData` for weights that it does not take,
  /// `failure` where the kernel asks for an impossible number of bytes or packs beyond them.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: features)
    let matrix = try ternaryWeights(weights)
    let scales = try rowScales(matrix)
    let fields = table.fields
    if let dot = fields.dot {
      return try DotKernel(name, features: features, function: dot).prepare(weights)
    }
    let multiple = max(fields.column_multiple, 1)
    let padded = PaddedRows(multiple: multiple).padded(matrix.columns)
    try checkSums(columns: padded, greatest: 2)
    let packed = try pack(matrix, padded: padded)
    let padding = PaddedRows.needed(columns: matrix.columns, multiple: multiple)
    let layout = try layout(columns: matrix.columns, padded: padded, padding: padding)
    return CLinear(
      kernel: name, rows: matrix.rows, columns: matrix.columns, padded: padded, packed: packed,
      packedBytes: packed.count - Self.margin, scales: scales, table: table,
      rowAlignment: max(fields.row_alignment, 1), padding: padding, layout: layout,
      inputLayout: layout ?? padding)
  }

  /// The packed weights, and the margin behind them.
  private func pack(_ matrix: TernaryMatrix, padded: Int) throws -> AlignedBuffer<UInt8> {
    let (rows, columns) = (matrix.rows, matrix.columns)
    guard let packedBytes = table.fields.packed_bytes, let pack = table.fields.pack else {
      preconditionFailure("a kernel without functions was loaded")
    }
    let bytes = try checked(
      packedBytes(rows, padded), "packed_bytes", weights: rows * padded, "\(rows) × \(padded)")
    try MemoryLimit.require(
      bytes + Self.margin + (padded == columns ? 0 : rows * padded),
      for: "the weights of kernel '\(name)'")
    let packed = AlignedBuffer<UInt8>(count: bytes + Self.margin, isStreamed: true)
    let end = packed.base + bytes
    end.update(repeating: Self.untouched, count: Self.margin)
    if padded == columns {
      pack(rows, padded, matrix.trits.base, packed.base)
    } else {
      let trits = AlignedBuffer<Int8>(count: rows * padded)
      for row in 0..<rows {
        (trits.base + row * padded).update(from: matrix.trits.base + row * columns, count: columns)
      }
      withExtendedLifetime(trits) { pack(rows, padded, trits.base, packed.base) }
    }
    for offset in 0..<Self.margin where end[offset] != Self.untouched {
      throw LabError(
        .failure, "kernel '\(name)' packs \(rows) × \(padded) trits beyond its bytes",
        expected: "writes within the \(bytes) bytes that its packed_bytes asks for",
        got: "a write to byte \(bytes + offset)",
        advice: "let packed_bytes round up as pack does, or pack less")
    }
    // Loads may run past the end, where they find zeros.
    end.update(repeating: 0, count: Self.margin)
    return packed
  }

  /// A number of bytes that a kernel asks for.
  private func checked(_ bytes: Int, _ function: String, weights: Int, _ shape: String) throws
    -> Int
  {
    // 64 bytes for a weight is more than any table of it needs.
    let most = Size.sum(Size.product(weights, 64), 1 << 20)
    guard (1...most).contains(bytes) else {
      throw LabError(
        .failure, "kernel '\(name)': \(function) asks for an impossible number of bytes",
        expected: "1 to \(most) for \(shape)", got: "\(UInt(bitPattern: bytes))",
        advice: "let \(function) compute them in size_t from its arguments")
    }
    return bytes
  }

  private func layout(columns: Int, padded: Int, padding: PaddedRows?) throws -> CLayout? {
    guard let layoutBytes = table.fields.layout_bytes else { return nil }
    let tokens = max(table.fields.layout_tokens, 1)
    let bytes = try checked(
      layoutBytes(padded), "layout_bytes", weights: Size.product(tokens, padded),
      "\(tokens) × \(padded)")
    return CLayout(
      id: "\(digest.prefix(16))/\(name)", tokens: tokens, blockStride: (bytes + 63) / 64 * 64,
      padded: padded, padding: padding, table: table)
  }
}

/// What a kernel of C builds from blocks of tokens, and before that, where its columns need it,
/// padded rows.
private struct CLayout: InputLayout {
  let id: String
  /// Tokens of a block.
  let tokens: Int
  let blockStride: Int
  let padded: Int
  let padding: PaddedRows?
  let table: KernelTable

  func parts(rows: Int, columns: Int) -> Int { (rows + tokens - 1) / tokens }

  /// Where the padded rows begin, behind all blocks.
  func rowsOffset(rows: Int, columns: Int) -> Int {
    parts(rows: rows, columns: columns) * blockStride
  }

  func byteCount(rows: Int, columns: Int) -> Int {
    rowsOffset(rows: rows, columns: columns)
      + (padding?.byteCount(rows: rows, columns: columns) ?? 0)
  }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    guard let function = table.fields.layout else { return }
    let behind = output + rowsOffset(rows: input.rows, columns: input.columns)
    for block in range {
      let first = block * tokens
      let count = min(tokens, input.rows - first)
      var values = UnsafePointer(input.row(first))
      var stride = input.stride
      if let padding {
        padding.build(first..<(first + count), from: input, into: behind)
        stride = padding.stride(input.columns)
        values = UnsafeRawPointer(behind + first * stride).assumingMemoryBound(to: Int8.self)
      }
      let place = output + block * blockStride
      // Memory is used again: what a block leaves out must not be what an older one had.
      place.initializeMemory(as: UInt8.self, repeating: 0, count: blockStride)
      function(count, padded, values, stride, place)
    }
  }
}

/// Packed weights, scales, and the functions.
private struct CLinear: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  let padded: Int
  let packed: AlignedBuffer<UInt8>
  let packedBytes: Int
  let scales: [Float]
  let table: KernelTable
  let rowAlignment: Int
  let padding: PaddedRows?
  let layout: CLayout?
  let inputLayout: (any InputLayout)?
  let accepts = ActivationForm.int8
  var memory: [any RawMemory] { [packed] }

  var weightBytes: Int { packedBytes + 4 * scales.count }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    // An int32 is as large as a float32: each sum becomes its output in place.
    let memory = UnsafeMutableRawPointer(y.base)
    sum(x, range, into: memory.assumingMemoryBound(to: Int32.self), stride: y.stride)
    scales.withUnsafeBufferPointer { scales in
      for token in 0..<x.rows {
        let scale = x.scales[token]
        let row = memory + 4 * token * y.stride
        for index in range {
          let sum = row.load(fromByteOffset: 4 * index, as: Int32.self)
          row.storeBytes(
            of: Float(sum) * (scale * scales[index]), toByteOffset: 4 * index, as: Float.self)
        }
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    sum(x, range, into: accumulators.base, stride: accumulators.stride)
    return true
  }

  private func sum(
    _ x: QuantizedRows, _ range: Range<Int>, into sums: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    guard !range.isEmpty, x.rows > 0, let function = table.fields.multiply else { return }
    var work = trit_work()
    work.packed = UnsafeRawPointer(packed.base)
    (work.rows, work.columns) = (rows, padded)
    (work.first_row, work.end_row) = (range.lowerBound, range.upperBound)
    work.tokens = x.rows
    work.x = UnsafePointer(x.values.base)
    work.x_stride = x.stride
    if let layout, let inputLayout {
      // The layout in the box that it has already: another one would be an allocation.
      let built = x.built(inputLayout)
      work.layout = built.assumingMemoryBound(to: UInt8.self)
      work.layout_stride = layout.blockStride
      if let padding {
        let behind = built + layout.rowsOffset(rows: x.rows, columns: columns)
        work.x = behind.assumingMemoryBound(to: Int8.self)
        work.x_stride = padding.stride(columns)
      }
    } else if let padding {
      work.x = x.built(padding).assumingMemoryBound(to: Int8.self)
      work.x_stride = padding.stride(columns)
    }
    work.sums = sums
    work.sums_stride = stride
    withExtendedLifetime((packed, x)) { function(&work) }
  }
}
