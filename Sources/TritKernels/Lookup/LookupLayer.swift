import TritCore

/// Packed indices of one lookup table format with the loops over them, one group of rows and up to
/// four tokens at a time, for int8 tables.
protocol LossyLookupLayer: Sendable {
  /// Packs trits, where the layout takes the shape.
  init(_ weights: QuantizedWeights, rows: Int, columns: Int) throws
  /// Number of rows.
  var rows: Int { get }
  /// Number of columns.
  var columns: Int { get }
  /// Bytes that a multiply reads.
  var codeBytes: Int { get }
  /// Where these lie.
  var memory: [any RawMemory] { get }
  /// Rows whose sums one call makes, at most 64.
  var group: Int { get }
  /// Columns looked up in threes; the others are in twos.
  var tripleColumns: Int { get }
  /// The sums of the `group` rows from `row` on, of triples into `triples` and of pairs into
  /// `pairs`, both `[tokens, group]`; the tables of a token are `stride` bytes after those of the
  /// one before.
  func lossySums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    triples: UnsafeMutablePointer<Int32>, pairs: UnsafeMutablePointer<Int32>)
}

/// The same for lossless tables too: bitnet.cpp's tiles.
protocol LookupLayer: LossyLookupLayer {
  /// Takes bytes of the packing as they are, where the layout takes the shape.
  init(_ packed: PackedMatrix) throws
  /// The layout of the lossless tables.
  var tables: any LookupTables { get }
  /// The sums of the `group` rows from `row` on into `sums` `[tokens, group]`.
  func sums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    into sums: UnsafeMutablePointer<Int32>)
}

/// Lossless tables of one token after another.
protocol LookupTables: InputLayout {
  /// Bytes of the tables of one token.
  func tokenBytes(columns: Int) -> Int
}

/// Tokens that go through one group of rows together.
private let batch = 4

/// Look-ups in int16 tables split in two bytes: lossless.
struct LookupLinear<Layer: LookupLayer>: PreparedLinear {
  let kernel: String
  let layer: Layer
  /// One a row.
  let scales: [Float]
  let form: LookupForm
  let accepts = ActivationForm.int8
  private let tables: any LookupTables

  init(kernel: String, layer: Layer, scales: [Float], form: LookupForm) {
    self.kernel = kernel
    self.layer = layer
    self.scales = scales
    self.form = form
    tables = layer.tables
  }

  var rows: Int { layer.rows }
  var columns: Int { layer.columns }
  var weightBytes: Int { layer.codeBytes + 4 * scales.count }
  var memory: [any RawMemory] { layer.memory }
  var rowAlignment: Int { layer.group }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    products(x, range) { token, row, sums in
      let out = y.base + token * y.stride + row
      for lane in 0..<layer.group {
        out[lane] = Float(sums[lane]) * (x.scales.base[token] * scales[row + lane])
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    products(x, range) { token, row, sums in
      (accumulators.base + token * accumulators.stride + row)
        .update(from: sums, count: layer.group)
    }
    return true
  }

  /// Calls `body` with the sums of each group of rows and each token.
  @inline(__always) private func products(
    _ x: QuantizedRows, _ range: Range<Int>,
    _ body: (_ token: Int, _ row: Int, _ sums: UnsafePointer<Int32>) -> Void
  ) {
    let built = x.built(tables).assumingMemoryBound(to: UInt8.self)
    let stride = tables.tokenBytes(columns: columns)
    let group = layer.group
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: batch * 64) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in Swift.stride(from: range.lowerBound, to: range.upperBound, by: group) {
        for first in Swift.stride(from: 0, to: x.rows, by: batch) {
          let tokens = min(batch, x.rows - first)
          layer.sums(
            row, built + first * stride, stride: stride, tokens: tokens, form, into: sums)
          for token in 0..<tokens { body(first + token, row, sums + token * group) }
        }
      }
    }
  }
}

/// Look-ups in int8 tables: TL1_0, TL2_0.
struct LossyLookupLinear<Layer: LossyLookupLayer>: LossyLinear {
  let kernel: String
  let layer: Layer
  /// One a row.
  let scales: [Float]
  let form: LookupForm
  let accepts = ActivationForm.int8

  private var tables: ByteTables { ByteTables(tripleColumns: layer.tripleColumns) }
  var rows: Int { layer.rows }
  var columns: Int { layer.columns }
  var weightBytes: Int { layer.codeBytes + 4 * scales.count }
  var memory: [any RawMemory] { layer.memory }
  var rowAlignment: Int { layer.group }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let tables = tables
    let built = x.built(tables)
    let stride = tables.rowBytes(columns: columns)
    let group = layer.group
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * batch * 64) { buffer in
      guard let triples = buffer.baseAddress else { return }
      let pairs = triples + batch * 64
      for row in Swift.stride(from: range.lowerBound, to: range.upperBound, by: group) {
        for first in Swift.stride(from: 0, to: x.rows, by: batch) {
          let tokens = min(batch, x.rows - first)
          let head = built + first * stride
          layer.lossySums(
            row, (head + ByteTables.head).assumingMemoryBound(to: UInt8.self), stride: stride,
            tokens: tokens, form, triples: triples, pairs: pairs)
          for token in 0..<tokens {
            let factors = head + token * stride
            let tripleFactor = factors.load(as: Float.self)
            let pairFactor = factors.load(fromByteOffset: 4, as: Float.self)
            let out = y.base + (first + token) * y.stride + row
            for lane in 0..<min(group, rows - row) {
              let sum =
                Float(triples[token * group + lane]) * tripleFactor
                + Float(pairs[token * group + lane]) * pairFactor
              out[lane] = sum * (x.scales.base[first + token] * scales[row + lane])
            }
          }
        }
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    false
  }

  /// Every look-up is off by at most half a step of the token's tables.
  func errorBound(_ x: QuantizedRows, token: Int, row: Int) -> Float {
    let tables = tables
    let head = x.built(tables) + token * tables.rowBytes(columns: columns)
    let pairs = Size.quotient(columns - layer.tripleColumns, 2)
    var lookups: Float = 0
    for (count, offset) in [(layer.tripleColumns / 3, 0), (pairs, 4)] {
      let factor = head.load(fromByteOffset: offset, as: Float.self)
      if factor > 1 { lookups += Float(count) * factor }
    }
    return lookups * 0.5001 * x.scales[token] * abs(scales[row])
  }
}
