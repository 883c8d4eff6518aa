/// Builds an input layout, part by part.
package struct LayoutRegion: PoolRegion {
  private let layout: any InputLayout
  private let rows: QuantizedRows
  private let memory: MutableMatrixView<UInt8>
  /// Number of parts.
  package let parts: Int

  /// Builds `layout` from `rows`, in their memory for it. Call `rows.markBuilt` when the region is
  /// done.
  package init(_ layout: any InputLayout, from rows: QuantizedRows) {
    self.layout = layout
    self.rows = rows
    memory = MutableMatrixView(
      base: rows.buffer(for: layout).base.assumingMemoryBound(to: UInt8.self), rows: 1,
      columns: layout.byteCount(rows: rows.rows, columns: rows.columns))
    parts = layout.parts(rows: rows.rows, columns: rows.columns)
  }

  package func run(_ range: Range<Int>, worker: Int) {
    layout.build(range, from: rows, into: UnsafeMutableRawPointer(memory.base))
  }
}
