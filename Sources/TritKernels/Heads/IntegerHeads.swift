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
    try HeadWeights.check(weights, head: name)
    let stride = (weights.columns + 63) / 64 * 64
    let codes = AlignedBuffer<Int8>(count: weights.rows * stride)
    var scales: [Float] = []
    var errors: [Float] = []
    for row in 0..<weights.rows {
      let source = weights.base + row * weights.stride
      let target = codes.base + row * stride
      let (multiplier, scale) = HeadWeights.scale(source, weights.columns, limit: 127)
      _ = VectorMath.quantize(source, multiplier: multiplier, into: target, count: weights.columns)
      scales.append(scale)
      errors.append(
        HeadWeights.distance(weights.columns) { (source[$0], Float(target[$0]) * scale) })
    }
    return PreparedInt8Head(
      rows: weights.rows, columns: weights.columns, stride: stride, codes: codes, scales: scales,
      errors: errors)
  }
}

struct PreparedInt8Head: PreparedHead {
  let rows: Int
  let columns: Int
  let stride: Int
  let codes: AlignedBuffer<Int8>
  let scales: [Float]
  let errors: [Float]

  var kernel: String { "int8/\(HeadWeights.instructionSet)" }
  var weightBytes: Int { rows * (stride + 4) }
  var rowAlignment: Int { 16 }

  func weightError(row: Int) -> Float { errors[row] }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    scales.withUnsafeBufferPointer { scales in
      guard let first = scales.baseAddress else { return }
      HeadWeights.ops.head_i8(
        codes.base + range.lowerBound * stride, first + range.lowerBound, stride, range.count,
        x.base, x.stride, x.rows, columns, logits.base + range.lowerBound, logits.stride)
    }
  }
}

/// The output head in 4 or 6 bits with a binary16 scale for every 32 columns: 4.5 or 6.5 bits a weight.
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
    let limit = Float((1 << (bits - 1)) - 1)
    try HeadWeights.check(weights, head: name, limit: 65_504 * limit)
    return PreparedLowBitHead(bits: bits, weights)
  }
}

/// Blocks of 128 columns (see head_body.h).
struct PreparedLowBitHead: PreparedHead {
  let bits: Int
  let rows: Int
  let columns: Int
  private let blocks: Int
  private let codes: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<UInt16>
  private let errors: [Float]

  var kernel: String { "int\(bits)/\(HeadWeights.instructionSet)" }
  var weightBytes: Int { codes.count + 2 * scales.count }
  var rowAlignment: Int { 16 }

  func weightError(row: Int) -> Float { errors[row] }

  init(bits: Int, _ weights: MatrixView<Float>) {
    self.bits = bits
    rows = weights.rows
    columns = weights.columns
    blocks = max((columns + 127) / 128, 1)
    let blockBytes = bits == 4 ? 64 : 96
    codes = AlignedBuffer(count: rows * blocks * blockBytes)
    scales = AlignedBuffer(count: rows * blocks * 4)
    var errors: [Float] = []
    errors.reserveCapacity(rows)
    let values = AlignedBuffer<Int8>(count: blocks * 128)
    let steps = AlignedBuffer<Float>(count: blocks * 4)
    let limit = Int32(1 << (bits - 1)) - 1
    for row in 0..<rows {
      let source = weights.base + row * weights.stride
      let rowScales = scales.base + row * blocks * 4
      for group in 0..<(blocks * 4) {
        let start = min(group * 32, columns)
        let count = min(32, columns - start)
        var scale = VectorMath.absmax(source + start, count: count) / Float(limit)
        VectorMath.narrow(&scale, toFloat16: rowScales + group, count: 1)
        VectorMath.widen(float16: rowScales + group, into: &scale, count: 1)
        steps[group] = scale
        let multiplier = scale == 0 ? 0 : 1 / scale
        _ = VectorMath.quantize(
          source + start, multiplier: multiplier.isFinite ? multiplier : 0, limit: limit,
          into: values.base + start, count: count)
      }
      Self.pack(
        values.base, blocks: blocks, bits: bits, into: codes.base + row * blocks * blockBytes)
      errors.append(
        HeadWeights.distance(columns) { (source[$0], Float(values[$0]) * steps[$0 / 32]) })
    }
    self.errors = errors
  }

  private static func pack(
    _ values: UnsafePointer<Int8>, blocks: Int, bits: Int, into out: UnsafeMutablePointer<UInt8>
  ) {
    let offset = 1 << (bits - 1)
    let blockBytes = bits == 4 ? 64 : 96
    for block in 0..<blocks {
      let base = out + block * blockBytes
      for column in 0..<128 {
        let code = Int(values[block * 128 + column]) + offset
        let field = column / 16
        let lane = column % 16
        base[4 * lane + field / 2] |= UInt8(code & 15) << UInt8(field % 2 * 4)
        if bits == 6 {
          base[64 + 2 * lane + field / 4] |= UInt8(code >> 4) << UInt8(field % 4 * 2)
        }
      }
    }
  }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    let leaf = bits == 4 ? HeadWeights.ops.head_i4 : HeadWeights.ops.head_i6
    leaf(
      codes.base + range.lowerBound * blocks * (bits == 4 ? 64 : 96),
      scales.base + range.lowerBound * blocks * 4, range.count, x.base, x.stride, x.rows, columns,
      logits.base + range.lowerBound, logits.stride)
  }
}
