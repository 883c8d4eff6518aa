import TritCore

/// How a scalar kernel gets the values of one row out of the bytes of a packing.
protocol RowCodec: Sendable {
  /// Runs that `decode` is asked for start at multiples of this; a group of scales must be one.
  static var alignment: Int { get }
  /// The most columns of one run; a multiple of `alignment`.
  static var run: Int { get }
  /// The packed bytes of all rows, `rowBytes` each.
  var bytes: AlignedBuffer<UInt8> { get }
  /// Bytes from one row to the next.
  var rowBytes: Int { get }
  /// The values of `columns` of the row that starts at `row`: in `scratch` (room for `run` values
  /// and 16 more), or where they lie.
  func decode(
    _ row: UnsafePointer<UInt8>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Int8>
  ) -> UnsafePointer<Int8>
}

/// A layer that works on packed bytes in plain Swift: it decodes a run of one row into a scratch of
/// a few hundred bytes and multiplies it with as many tokens as are there, so that decoding is paid
/// once.
///
/// Sums over groups of scales go in the order of the groups, as the reference does: the same
/// floats.
struct ScalarLinear<Codec: RowCodec>: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  let codec: Codec
  /// One a row, or one a row and group.
  let scales: [Float]
  /// Columns that share a scale; `columns` where there is one a row.
  let span: Int
  /// Whether scales are per group, even if one group fills a row.
  let isGrouped: Bool
  let accepts = ActivationForm.int8
  let rowAlignment = 1
  let inputLayout: (any InputLayout)? = nil

  /// Tokens that share one decoding.
  private static var tile: Int { 16 }

  /// Without the tail that a packing may have behind the rows.
  var weightBytes: Int { rows * codec.rowBytes + 4 * scales.count }
  var memory: [any RawMemory] { [codec.bytes] }
  private var groups: Int { (columns + span - 1) / span }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let groups = groups
    let output = y.base
    let stride = y.stride
    scales.withUnsafeBufferPointer { scales in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tile) { parts in
        products(x, range) { row, group, tokens, sums in
          let scale = scales[row * groups + group]
          for token in tokens {
            let slot = token - tokens.lowerBound
            let sum = Float(sums[slot])
            if !isGrouped {
              output[token * stride + row] = sum * (x.scales.base[token] * scale)
              continue
            }
            let total = (group == 0 ? 0 : parts[slot]) + sum * scale
            parts[slot] = total
            if group == groups - 1 { output[token * stride + row] = total * x.scales.base[token] }
          }
        }
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    guard !isGrouped else { return false }
    products(x, range) { row, _, tokens, sums in
      for token in tokens { accumulators[token, row] = sums[token - tokens.lowerBound] }
    }
    return true
  }

  /// Calls `body` with the integer sums of every row and group, for up to `tile` tokens at a time.
  @inline(__always) private func products(
    _ x: QuantizedRows, _ range: Range<Int>,
    _ body: (_ row: Int, _ group: Int, _ tokens: Range<Int>, _ sums: UnsafePointer<Int32>) -> Void
  ) {
    let (values, stride) = (x.values.base, x.stride)
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: Codec.run + 16) { scratch in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.tile) { sums in
        guard let scratch = scratch.baseAddress, let sums = sums.baseAddress else { return }
        for first in Swift.stride(from: 0, to: x.rows, by: Self.tile) {
          let tokens = first..<min(first + Self.tile, x.rows)
          for row in range {
            let bytes = codec.bytes.base + row * codec.rowBytes
            for group in 0..<groups {
              sums.update(repeating: 0, count: Self.tile)
              let end = min((group + 1) * span, columns)
              for start in Swift.stride(from: group * span, to: end, by: Codec.run) {
                let run = start..<min(start + Codec.run, end)
                let w = codec.decode(bytes, run, scratch: scratch)
                for token in tokens {
                  sums[token - first] &+= dot(w, values + token * stride + start, run.count)
                }
              }
              body(row, group, tokens, sums)
            }
          }
        }
      }
    }
  }
}

/// Σ_k w[k] · q[k], exact in int32.
@inline(__always) func dot(
  _ w: UnsafePointer<Int8>, _ q: UnsafePointer<Int8>, _ count: Int
) -> Int32 {
  var sum: Int32 = 0
  for k in 0..<count { sum &+= Int32(w[k]) &* Int32(q[k]) }
  return sum
}

extension LinearKernel {
  /// The layer that `codec` makes of the integers or trits in `weights`.
  func scalarLinear<Codec: RowCodec>(_ weights: IntegerWeights, _ codec: Codec) throws
    -> any PreparedLinear
  {
    try scalarLinear(
      rows: weights.rows, columns: weights.columns, scales: weights.scales,
      granularity: weights.granularity, codec)
  }

  /// The layer that `codec` makes of values `[rows, columns]` with their scales.
  func scalarLinear<Codec: RowCodec>(
    rows: Int, columns: Int, scales: [Float], granularity: ScaleGranularity, _ codec: Codec
  ) throws -> any PreparedLinear {
    var scales = scales
    var isGrouped = false
    switch granularity {
    case .tensor: scales = [Float](repeating: scales[0], count: rows)
    case .row: break
    case .group(let size):
      isGrouped = true
      guard size % Codec.alignment == 0 else {
        throw LabError(
          .usage,
          "kernel '\(name)' needs groups of scales in multiples of \(Codec.alignment) columns",
          got: "groups of \(size)",
          advice: "use kernel 'base3/scalar', 'int8/scalar' or 'reference'")
      }
    }
    return ScalarLinear(
      kernel: name, rows: rows, columns: columns, codec: codec, scales: scales,
      span: granularity.span(columns: columns), isGrouped: isGrouped)
  }
}
