internal import CTritKernels
public import TritCore

/// The output head in int8 with one scale a row: a quarter of f32's bytes.
public struct Int8Head: OutputHead {
  /// `int8`.
  public let name = "int8"

  /// The int8 head.
  public init() {}

  /// Rounds each row to `rint(w · 127 / max |w|)`. Throws `badData` where a weight is not finite.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same, row by row.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    let head = PreparedInt8Head(rows: source.rows, columns: source.columns)
    try source.forEach(on: pool) { first, weights in
      try HeadWeights.check(weights, head: name, firstRow: first)
      head.encode(weights, firstRow: first)
    }
    return head
  }
}

/// Panels (see `HeadPanels`), or rows padded to whole lines.
struct PreparedInt8Head: CoarseHead {
  let rows: Int
  let columns: Int
  private let panels: HeadPanels?
  private let stride: Int
  private let codes: AlignedBuffer<Int8>
  private let scales: AlignedBuffer<Float>
  private let errors: AlignedBuffer<Float>

  var kernel: String { "int8/\(HeadWeights.integerInstructionSet(columns: columns))" }
  var weightBytes: Int { (panels?.bytes ?? codes.count) + 4 * scales.count }
  var rowAlignment: Int { panels == nil ? 16 : HeadPanels.rows }

  func weightError(row: Int) -> Float { errors[row] }

  /// A head of zeros, for `encode` to fill.
  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    panels = HeadPanels(bits: 8, rows: rows, columns: columns)
    stride = (columns + 63) / 64 * 64
    codes = AlignedBuffer(count: panels == nil ? rows * stride : 0, isStreamed: true)
    scales = AlignedBuffer(count: (rows + HeadPanels.rows - 1) / HeadPanels.rows * HeadPanels.rows)
    errors = AlignedBuffer(count: rows)
  }

  /// What was kept of such a head.
  init(rows: Int, columns: Int, from memory: inout KeptMemory) throws {
    self.rows = rows
    self.columns = columns
    panels = try HeadPanels(bits: 8, rows: rows, columns: columns) { try memory.next($0) }
    stride = (columns + 63) / 64 * 64
    codes = panels == nil ? try memory.next(rows * stride) : AlignedBuffer(count: 0)
    scales = try memory.next((rows + HeadPanels.rows - 1) / HeadPanels.rows * HeadPanels.rows)
    errors = try memory.next(rows)
  }

  var keptForm: KeptHeadForm { .integer(bits: 8) }
  var memory: [any RawMemory] {
    [panels.map { $0.codes as any RawMemory } ?? codes, scales, errors]
  }

  /// Rounds `weights` to the rows from `firstRow` on.
  func encode(_ weights: MatrixView<Float>, firstRow: Int) {
    let rest = AlignedBuffer<Float>(count: columns)
    let line = AlignedBuffer<Int8>(count: stride)
    for index in 0..<weights.rows {
      let row = firstRow + index
      let values = weights.base + index * weights.stride
      let target = panels == nil ? codes.base + row * stride : line.base
      let (multiplier, scale) = HeadWeights.scale(values, columns, limit: 127)
      _ = VectorMath.quantize(values, multiplier: multiplier, into: target, count: columns)
      scales.base[row] = scale
      rest.base.update(from: values, count: columns)
      VectorMath.axpy(-scale, int8: target, into: rest.base, count: columns)
      errors.base[row] = HeadWeights.error(of: values, rest: rest.base, columns)
      panels?.write(target, scales: nil, row: row)
    }
  }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    if let panels {
      return panels.multiply(x, rowScales: scales.base, rows: range, into: logits)
    }
    HeadWeights.ops.head_i8(
      codes.base + range.lowerBound * stride, scales.base + range.lowerBound, stride, range.count,
      x.base, x.stride, x.rows, columns, logits.base + range.lowerBound, logits.stride)
  }
}

/// The output head in 4 or 6 bits with a binary16 scale for every 32 columns: 4.5 or 6.5 bits a
/// weight.
public struct LowBitHead: OutputHead {
  /// 4 or 6.
  public let bits: Int

  /// `int4` or `int6`.
  public var name: String { "int\(bits)" }

  /// A head of `bits` bits, 4 or 6.
  public init(bits: Int) {
    precondition(bits == 4 || bits == 6, "a low-bit head has 4 or 6 bits")
    self.bits = bits
  }

  /// Rounds each run of 32 columns to `rint(w / scale)`, `scale = max |w| / (2^(bits − 1) − 1)` as
  /// binary16. Throws `badData` where a weight is not finite, or too large for that scale.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same, row by row.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    let limit = Float((1 << (bits - 1)) - 1)
    let head = PreparedLowBitHead(bits: bits, rows: source.rows, columns: source.columns)
    try source.forEach(on: pool) { first, weights in
      try HeadWeights.check(weights, head: name, firstRow: first, limit: 65_504 * limit)
      head.encode(weights, firstRow: first)
    }
    return head
  }
}

/// Panels (see `HeadPanels`), or rows in blocks of 128 columns (see head_body.h).
struct PreparedLowBitHead: CoarseHead {
  let bits: Int
  let rows: Int
  let columns: Int
  private let panels: HeadPanels?
  private let blocks: Int
  private let codes: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<UInt16>
  private let errors: AlignedBuffer<Float>

  var kernel: String { "int\(bits)/\(HeadWeights.integerInstructionSet(columns: columns))" }
  var weightBytes: Int { (panels?.bytes ?? codes.count) + 2 * scales.count }
  var rowAlignment: Int { panels == nil ? 16 : HeadPanels.rows }

  func weightError(row: Int) -> Float { errors[row] }

  /// A head of zeros, for `encode` to fill.
  init(bits: Int, rows: Int, columns: Int) {
    self.bits = bits
    self.rows = rows
    self.columns = columns
    blocks = max((columns + 127) / 128, 1)
    panels = HeadPanels(bits: bits, rows: rows, columns: columns)
    let rowsOfBlocks = panels == nil ? rows : 0
    codes = AlignedBuffer(count: rowsOfBlocks * blocks * (bits == 4 ? 64 : 96), isStreamed: true)
    scales = AlignedBuffer(count: rowsOfBlocks * blocks * 4)
    errors = AlignedBuffer(count: rows)
  }

  /// What was kept of such a head.
  init(bits: Int, rows: Int, columns: Int, from memory: inout KeptMemory) throws {
    self.bits = bits
    self.rows = rows
    self.columns = columns
    blocks = max((columns + 127) / 128, 1)
    panels = try HeadPanels(bits: bits, rows: rows, columns: columns) { try memory.next($0) }
    if panels == nil {
      codes = try memory.next(rows * blocks * (bits == 4 ? 64 : 96))
      scales = try memory.next(rows * blocks * 4)
    } else {
      (codes, scales) = (AlignedBuffer(count: 0), AlignedBuffer(count: 0))
    }
    errors = try memory.next(rows)
  }

  var keptForm: KeptHeadForm { .integer(bits: bits) }
  var memory: [any RawMemory] { panels.map { [$0.codes, errors] } ?? [codes, scales, errors] }

  /// Rounds `weights` to the rows from `firstRow` on.
  func encode(_ weights: MatrixView<Float>, firstRow: Int) {
    let blockBytes = bits == 4 ? 64 : 96
    let values = AlignedBuffer<Int8>(count: blocks * 128)
    let rest = AlignedBuffer<Float>(count: columns)
    let line = AlignedBuffer<UInt16>(count: blocks * 4)
    let limit = Int32(1 << (bits - 1)) - 1
    for index in 0..<weights.rows {
      let row = firstRow + index
      let source = weights.base + index * weights.stride
      let rowScales = panels == nil ? scales.base + row * blocks * 4 : line.base
      for group in 0..<(blocks * 4) {
        let start = min(group * 32, columns)
        let count = min(32, columns - start)
        var scale = VectorMath.absmax(source + start, count: count) / Float(limit)
        VectorMath.narrow(&scale, toFloat16: rowScales + group, count: 1)
        VectorMath.widen(float16: rowScales + group, into: &scale, count: 1)
        let multiplier = scale == 0 ? 0 : 1 / scale
        _ = VectorMath.quantize(
          source + start, multiplier: multiplier.isFinite ? multiplier : 0, limit: limit,
          into: values.base + start, count: count)
        (rest.base + start).update(from: source + start, count: count)
        VectorMath.axpy(
          -scale, int8: values.base + start, into: rest.base + start, count: count)
      }
      if let panels {
        panels.write(values.base, scales: rowScales, row: row)
      } else {
        Self.pack(
          values.base, blocks: blocks, bits: bits, into: codes.base + row * blocks * blockBytes)
      }
      errors.base[row] = HeadWeights.error(of: source, rest: rest.base, columns)
    }
  }

  private static func pack(
    _ values: UnsafePointer<Int8>, blocks: Int, bits: Int, into out: UnsafeMutablePointer<UInt8>
  ) {
    let offset = Int8(1 << (bits - 1))
    let blockBytes = bits == 4 ? 64 : 96
    for block in 0..<blocks {
      let base = out + block * blockBytes
      let columns = values + block * 128
      for index in 0..<64 {
        let low = UInt8(bitPattern: columns[index] &+ offset)
        let high = UInt8(bitPattern: columns[64 + index] &+ offset)
        base[index] = low & 15 | high << 4
      }
      guard bits == 6 else { continue }
      for index in 0..<32 {
        let a = UInt8(bitPattern: columns[index] &+ offset) >> 4
        let b = UInt8(bitPattern: columns[32 + index] &+ offset) >> 4
        let c = UInt8(bitPattern: columns[64 + index] &+ offset) >> 4
        let d = UInt8(bitPattern: columns[96 + index] &+ offset) >> 4
        base[64 + index] = a | b << 2 | c << 4 | d << 6
      }
    }
  }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    if let panels { return panels.multiply(x, rowScales: nil, rows: range, into: logits) }
    #if arch(x86_64)
      // The float form shares a widened weight among four tokens.
      if x.rows < 4, columns <= Int(TK_HEAD_COLUMNS), CPUFeatures.here.contains(.avx2) {
        tk_head_low_avx2(
          codes.base + range.lowerBound * blocks * (bits == 4 ? 64 : 96),
          scales.base + range.lowerBound * blocks * 4, range.count, x.base, x.stride, x.rows,
          columns, logits.base + range.lowerBound, logits.stride, Int32(bits))
        return
      }
    #endif
    let leaf = bits == 4 ? HeadWeights.ops.head_i4 : HeadWeights.ops.head_i6
    leaf(
      codes.base + range.lowerBound * blocks * (bits == 4 ? 64 : 96),
      scales.base + range.lowerBound * blocks * 4, range.count, x.base, x.stride, x.rows, columns,
      logits.base + range.lowerBound, logits.stride)
  }
}
