/// A row-major view of `[rows, columns]` elements that cannot outlive its matrix: the compiler
/// refuses to keep one.
///
/// This is what crosses functions that only read. `withUnsafeView` hands the elements to what takes
/// a bare `MatrixView`, C leaves and the stages behind them, for as long as a closure runs.
public struct MatrixSpan<Element: BitwiseCopyable>: ~Escapable, Sendable {
  private let view: MatrixView<Element>

  @_lifetime(immortal) fileprivate init(_ view: MatrixView<Element>) { self.view = view }

  /// Number of rows.
  public var rows: Int { view.rows }
  /// Number of columns.
  public var columns: Int { view.columns }

  /// Element at `[row, column]`.
  public subscript(row: Int, column: Int) -> Element {
    precondition(
      (0..<rows).contains(row) && (0..<columns).contains(column), "outside of the matrix")
    return view[row, column]
  }

  /// The rows in `range`.
  @_lifetime(copy self) public func rows(_ range: Range<Int>) -> MatrixSpan {
    _overrideLifetime(MatrixSpan(view.rows(range)), copying: self)
  }

  /// The columns in `range` of every row.
  @_lifetime(copy self) public func columns(_ range: Range<Int>) -> MatrixSpan {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns outside the matrix")
    let part = MatrixView(
      base: view.base + range.lowerBound, rows: rows, columns: range.count, stride: view.stride)
    return _overrideLifetime(MatrixSpan(part), copying: self)
  }

  /// Calls `body` with a bare view, which is valid until it returns.
  public func withUnsafeView<Result: ~Copyable, Failure: Error>(
    _ body: (MatrixView<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(view) }
}

extension Matrix {
  /// The elements for reading, as long as the matrix lives.
  public var span: MatrixSpan<Element> {
    @_lifetime(borrow self) get { _overrideLifetime(MatrixSpan(view), borrowing: self) }
  }
}

extension AlignedBuffer {
  /// The elements for reading, as long as the buffer lives.
  public var span: Span<Element> {
    @_lifetime(borrow self) get {
      _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
  }

  /// A copy of the elements.
  public var array: [Element] { span.withUnsafeBufferPointer { Array($0) } }
}

extension MappedFile {
  /// The bytes, as long as this object lives.
  public var span: RawSpan {
    @_lifetime(borrow self) get {
      _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
    }
  }
}
