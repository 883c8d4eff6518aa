internal import CTritKernels
import TritCore

/// What is not zero in each token: columns and values (see tk_sparse.h); and for more than a few
/// tokens the tiles of dense kernels after them, for inputs that turn out to hold few zeros.
struct NonzeroColumns: InputLayout {
  let id = "nonzero"
  private let tiles = ActivationTiles()

  /// Elements of a list, whose columns are counted as a layer's are: in groups of 16.
  private func stride(_ columns: Int) -> Int {
    tk_list_stride(PreparedPanels.steps(columns: columns) * 16)
  }
  private func needsTiles(_ rows: Int) -> Bool { rows > Int(TK_SPARSE_TOKENS) }

  /// Lists as long as if nothing were zero.
  func byteCount(rows: Int, columns: Int) -> Int {
    rows * stride(columns) * 4
      + (needsTiles(rows) ? tiles.byteCount(rows: rows, columns: columns) : 0)
  }

  /// One part a token, then one a tile.
  func parts(rows: Int, columns: Int) -> Int {
    rows + (needsTiles(rows) ? tiles.parts(rows: rows, columns: columns) : 0)
  }

  /// Lists tokens, then packs tiles.
  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let stride = stride(input.columns)
    let columns = PreparedPanels.steps(columns: input.columns) * 16
    let lists = output.assumingMemoryBound(to: Int32.self)
    for row in range.clamped(to: 0..<input.rows) {
      let list = lists + row * stride
      #if arch(x86_64)
        if CPUFeatures.here.contains(.avx512) {
          tk_sparse_list_avx512(input.row(row), columns, list)
          continue
        }
      #endif
      tk_sparse_list_scalar(input.row(row), columns, list)
    }
    guard range.upperBound > input.rows else { return }
    tiles.build(
      max(range.lowerBound - input.rows, 0)..<range.upperBound - input.rows, from: input,
      into: output + input.rows * stride * 4)
  }
}
