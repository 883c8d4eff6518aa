/// The form in which activations reach a linear kernel.
public enum ActivationForm: String, Sendable, Hashable {
  /// int8 values with one scale and one sum a row.
  case int8
  /// float32 values (unquantized, or quantized and dequantized again).
  case float32
}

/// Something a kernel derives from activations before it multiplies (lookup tables, a permuted
/// panel), built once per input and shared by all layers that name the same `id`.
public protocol InputLayout: Sendable {
  /// Names the layout with every parameter that changes its bytes; equal ids mean equal bytes.
  var id: String { get }
  /// Bytes for `rows` activation rows of `columns` columns.
  func byteCount(rows: Int, columns: Int) -> Int
  /// Independent parts the work can be cut into; workers take disjoint ranges of them.
  func parts(rows: Int, columns: Int) -> Int
  /// Builds the parts in `range` from `input` into `output` (64-byte aligned, `byteCount` bytes).
  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer)
}

/// A reusable buffer of activations `[rows, columns]`, as an activation quantizer leaves them.
///
/// int8 rows: `x[t, k] ≈ values[t, k] * scales[t]`, and `sums[t] = Σ_k values[t, k]`. Rows are
/// padded with zeros to a multiple of 64 columns, so that vector kernels need no tail. Memory is
/// allocated once for `capacity` rows and reused: no allocation per token.
public final class QuantizedRows: @unchecked Sendable {
  /// Rows that fit.
  public let capacity: Int
  /// Columns of every row.
  public let columns: Int
  /// int8 elements from one row to the next: `columns` rounded up to 64.
  public let stride: Int
  /// Rows in use.
  public private(set) var rows = 0
  /// The form of the rows in use.
  public private(set) var form = ActivationForm.int8
  /// int8 values `[capacity, stride]`.
  public let values: AlignedBuffer<Int8>
  /// One dequantization scale a row.
  public let scales: AlignedBuffer<Float>
  /// One sum of the int8 values a row.
  public let sums: AlignedBuffer<Int32>
  /// float32 values `[capacity, columns]`, allocated when first asked for.
  public private(set) lazy var floats: AlignedBuffer<Float> = buffer(capacity * columns)
  /// Gives memory of its own kind, if whoever made the rows wants them elsewhere.
  private let memory: Memory?
  private var layouts: [(id: String, buffer: AlignedBuffer<UInt8>, isBuilt: Bool)] = []

  /// Gives so many zero bytes that begin at a multiple of 64, 64 more to be read behind them, and
  /// who owns it.
  package typealias Memory =
    @Sendable (_ bytes: Int) -> (
      base: UnsafeMutableRawPointer, owner: any AnyObject & Sendable
    )

  /// Room for `capacity` rows of `columns` columns.
  public convenience init(capacity: Int, columns: Int) {
    self.init(capacity: capacity, columns: columns, memory: nil)
  }

  /// The same in memory that `memory` gives: between pages that must not be touched, for instance.
  /// Layouts lie there too.
  package init(capacity: Int, columns: Int, memory: Memory?) {
    self.capacity = capacity
    self.columns = columns
    self.memory = memory
    stride = Self.stride(columns: columns)
    values = Self.buffer(capacity * stride, memory)
    scales = Self.buffer(capacity, memory)
    sums = Self.buffer(capacity, memory)
  }

  private static func buffer<Element>(_ count: Int, _ memory: Memory?) -> AlignedBuffer<Element> {
    guard let memory else { return AlignedBuffer(count: count) }
    let (base, owner) = memory(count * MemoryLayout<Element>.stride)
    return AlignedBuffer(viewing: base, count: count, owner: owner)
  }

  private func buffer<Element>(_ count: Int) -> AlignedBuffer<Element> {
    Self.buffer(count, memory)
  }

  /// int8 elements from one row to the next where rows have `columns` columns.
  public static func stride(columns: Int) -> Int { (columns + 63) / 64 * 64 }

  /// Bytes of a buffer of this size before any float32 row or layout is asked for.
  package static func byteCount(capacity: Int, columns: Int) -> (rows: Int, overflows: Bool) {
    let padded = columns.addingReportingOverflow(63)
    let row = (padded.partialValue / 64 * 64).addingReportingOverflow(8)
    let all = capacity.multipliedReportingOverflow(by: row.partialValue)
    return (all.partialValue, padded.overflow || row.overflow || all.overflow)
  }

  /// Starts a new set of `rows` rows in `form`: what was derived from the old rows is void.
  public func begin(rows: Int, form: ActivationForm) {
    precondition(rows <= capacity, "\(rows) rows do not fit \(capacity)")
    self.rows = rows
    self.form = form
    if form == .float32 { _ = floats }
    for index in layouts.indices { layouts[index].isBuilt = false }
  }

  /// Row `row` of the int8 values, padding included.
  @inlinable public func row(_ row: Int) -> UnsafeMutablePointer<Int8> {
    values.base + row * stride
  }

  /// The float32 rows in use.
  public var floatView: MatrixView<Float> {
    MatrixView(base: floats.base, rows: rows, columns: columns)
  }

  /// The float32 rows in use, for the quantizer that fills them.
  public var mutableFloatView: MutableMatrixView<Float> {
    MutableMatrixView(base: floats.base, rows: rows, columns: columns)
  }

  /// Memory for `layout` of the current rows, and whether it has been built since `begin`.
  public func buffer(for layout: any InputLayout) -> (base: UnsafeMutableRawPointer, isBuilt: Bool)
  {
    let id = layout.id
    let bytes = layout.byteCount(rows: rows, columns: columns)
    for index in layouts.indices where layouts[index].id == id {
      if layouts[index].buffer.count < bytes {
        let most = layout.byteCount(rows: capacity, columns: columns)
        layouts[index].buffer = buffer(max(bytes, most))
        layouts[index].isBuilt = false
      }
      return (UnsafeMutableRawPointer(layouts[index].buffer.base), layouts[index].isBuilt)
    }
    let buffer: AlignedBuffer<UInt8> = buffer(
      max(bytes, layout.byteCount(rows: capacity, columns: columns)))
    layouts.append((id, buffer, false))
    return (UnsafeMutableRawPointer(buffer.base), false)
  }

  /// Says that every part of `layout` has been built from the current rows.
  public func markBuilt(_ layout: any InputLayout) {
    for index in layouts.indices where layouts[index].id == layout.id {
      layouts[index].isBuilt = true
    }
  }

  /// The built bytes of `layout`; building them first, on the calling thread, if nobody has.
  public func built(_ layout: any InputLayout) -> UnsafeRawPointer {
    let (base, isBuilt) = buffer(for: layout)
    if !isBuilt {
      layout.build(0..<layout.parts(rows: rows, columns: columns), from: self, into: base)
      markBuilt(layout)
    }
    return UnsafeRawPointer(base)
  }

  /// The values that the rows stand for, float32 `[rows, columns]`.
  public func dequantized() -> Matrix<Float> {
    let result = Matrix<Float>(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns {
        result[row, column] =
          form == .float32
          ? floats[row * columns + column] : Float(values[row * stride + column]) * scales[row]
      }
    }
    return result
  }
}
