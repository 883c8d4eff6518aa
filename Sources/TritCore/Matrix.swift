/// A row-major view of `[rows, columns]` elements that somebody else owns.
///
/// This is the type that crosses stage boundaries: whole matrices, never single elements. It is a
/// pointer with a shape; whoever makes one keeps the memory alive while it is used. Concurrent
/// readers are fine; that is why it is `Sendable`.
@frozen public struct MatrixView<Element: BitwiseCopyable>: @unchecked Sendable {
  /// Element `[0, 0]`.
  public let base: UnsafePointer<Element>
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int
  /// Elements from one row to the next, at least `columns`.
  public let stride: Int

  /// Views `rows * stride` elements from `base`; `stride` defaults to `columns`.
  @inlinable public init(
    base: UnsafePointer<Element>, rows: Int, columns: Int, stride: Int? = nil
  ) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    assert(rows >= 0 && columns >= 0 && self.stride >= columns)
  }

  /// Element at `[row, column]`.
  @inlinable public subscript(row: Int, column: Int) -> Element {
    assert(row >= 0 && row < rows && column >= 0 && column < columns)
    return base[row * stride + column]
  }

  /// Row `row` as `columns` contiguous elements.
  @inlinable public func row(_ row: Int) -> UnsafeBufferPointer<Element> {
    assert(row >= 0 && row < rows)
    return UnsafeBufferPointer(start: base + row * stride, count: columns)
  }

  /// The sub-view of the rows in `range`.
  @inlinable public func rows(_ range: Range<Int>) -> MatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
    return MatrixView(
      base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }
}

/// A row-major view of `[rows, columns]` elements that may be written. Writers on several threads
/// write disjoint rows or columns.
@frozen public struct MutableMatrixView<Element: BitwiseCopyable>: @unchecked Sendable {
  /// Element `[0, 0]`.
  public let base: UnsafeMutablePointer<Element>
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int
  /// Elements from one row to the next, at least `columns`.
  public let stride: Int

  /// Views `rows * stride` elements from `base`; `stride` defaults to `columns`.
  @inlinable public init(
    base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, stride: Int? = nil
  ) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    assert(rows >= 0 && columns >= 0 && self.stride >= columns)
  }

  /// Element at `[row, column]`.
  @inlinable public subscript(row: Int, column: Int) -> Element {
    get {
      assert(row >= 0 && row < rows && column >= 0 && column < columns)
      return base[row * stride + column]
    }
    nonmutating set {
      assert(row >= 0 && row < rows && column >= 0 && column < columns)
      base[row * stride + column] = newValue
    }
  }

  /// Row `row` as `columns` contiguous elements.
  @inlinable public func row(_ row: Int) -> UnsafeMutableBufferPointer<Element> {
    assert(row >= 0 && row < rows)
    return UnsafeMutableBufferPointer(start: base + row * stride, count: columns)
  }

  /// The sub-view of the rows in `range`.
  @inlinable public func rows(_ range: Range<Int>) -> MutableMatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
    return MutableMatrixView(
      base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// The same elements for reading.
  @inlinable public var readOnly: MatrixView<Element> {
    MatrixView(base: base, rows: rows, columns: columns, stride: stride)
  }
}

/// An owned `[rows, columns]` matrix, row-major without gaps, 64-byte aligned. A reference: copies
/// share the elements.
public struct Matrix<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The memory.
  public let storage: AlignedBuffer<Element>
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int

  /// A zero matrix.
  public init(rows: Int, columns: Int) {
    storage = AlignedBuffer(count: rows * columns)
    self.rows = rows
    self.columns = columns
  }

  /// A matrix over memory that exists already; `storage.count` must be `rows * columns`.
  public init(storage: AlignedBuffer<Element>, rows: Int, columns: Int) {
    precondition(storage.count == rows * columns, "a matrix needs rows * columns elements")
    self.storage = storage
    self.rows = rows
    self.columns = columns
  }

  /// A matrix of `elements` in row order; their count must be `rows * columns`.
  public init(rows: Int, columns: Int, _ elements: some Collection<Element>) {
    precondition(elements.count == rows * columns, "a matrix needs rows * columns elements")
    storage = AlignedBuffer(elements)
    self.rows = rows
    self.columns = columns
  }

  /// Element at `[row, column]`.
  @inlinable public subscript(row: Int, column: Int) -> Element {
    get { storage[row * columns + column] }
    nonmutating set { storage[row * columns + column] = newValue }
  }

  /// The elements for reading; valid while the matrix lives.
  public var view: MatrixView<Element> {
    MatrixView(base: storage.base, rows: rows, columns: columns)
  }

  /// The elements for writing; valid while the matrix lives.
  public var mutableView: MutableMatrixView<Element> {
    MutableMatrixView(base: storage.base, rows: rows, columns: columns)
  }
}
