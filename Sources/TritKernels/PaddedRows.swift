public import TritCore

/// int8 activations whose rows are padded with zeros to a multiple of columns that `QuantizedRows`,
/// which pads to 64, does not give: for kernels that go through columns in larger steps and need no
/// tail.
///
/// `[tokens, stride]`, the stride being the padded columns rounded up to 64 again. One part a
/// token.
public struct PaddedRows: InputLayout {
  /// The multiple, at least 1.
  public let multiple: Int

  /// Rows padded to a multiple of `multiple` columns.
  public init(multiple: Int) {
    precondition(multiple >= 1, "rows are padded to a multiple of at least 1")
    self.multiple = multiple
    id = "padded\(multiple)"
  }

  /// The layout that a kernel needs whose columns come in multiples of `multiple`; nil where the
  /// rows are long enough as they are.
  public static func needed(columns: Int, multiple: Int) -> PaddedRows? {
    let layout = PaddedRows(multiple: multiple)
    return layout.padded(columns) > QuantizedRows.stride(columns: columns) ? layout : nil
  }

  /// `padded` and the multiple; made once, since products ask for it.
  public let id: String

  /// `columns` rounded up to the multiple.
  public func padded(_ columns: Int) -> Int { (columns + multiple - 1) / multiple * multiple }

  /// Bytes from one token to the next: the padded columns, rounded up to 64.
  public func stride(_ columns: Int) -> Int { QuantizedRows.stride(columns: padded(columns)) }

  /// One byte a column.
  public func byteCount(rows: Int, columns: Int) -> Int { rows * stride(columns) }

  /// One part a token.
  public func parts(rows: Int, columns: Int) -> Int { rows }

  /// Copies the tokens in `range`.
  public func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let width = stride(input.columns)
    for token in range {
      let row = output + token * width
      row.copyMemory(from: input.row(token), byteCount: input.columns)
      (row + input.columns).initializeMemory(
        as: UInt8.self, repeating: 0, count: width - input.columns)
    }
  }
}
