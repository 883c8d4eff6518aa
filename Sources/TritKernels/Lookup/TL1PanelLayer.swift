internal import CTritKernels
import TritCore

/// TL1_0 in panels of 64 rows, any shape: `vpermb` finds 64 int8 entries at once in the tables of
/// four pairs, and `vpdpbusd` adds up the four of a row.
struct TL1PanelLayer: LossyLookupLayer {
  let rows: Int
  let columns: Int
  private let lines: Int
  private let panels: AlignedBuffer<UInt8>

  init(_ weights: QuantizedWeights, rows: Int, columns: Int) throws {
    self.rows = rows
    self.columns = columns
    lines = Size.quotient(columns, 16)
    panels = AlignedBuffer(
      count: Size.quotient(rows, Int(TK_LOOKUP_ROWS)) * Self.panelBytes(lines))
    guard case .ternary(let matrix) = weights else { return }
    tk_tl1_0_pack(matrix.trits.base, rows, columns, panels.base)
  }

  private static func panelBytes(_ lines: Int) -> Int { lines * 256 }

  var codeBytes: Int { panels.count }
  var memory: [any RawMemory] { [panels] }
  let group = Int(TK_LOOKUP_ROWS)
  let tripleColumns = 0

  func lossySums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    triples: UnsafeMutablePointer<Int32>, pairs: UnsafeMutablePointer<Int32>
  ) {
    triples.update(repeating: 0, count: tokens * group)
    #if arch(x86_64)
      tk_tl1_0_avx512vbmi(
        panels.base + row / group * Self.panelBytes(lines), lines,
        UnsafeRawPointer(tables).assumingMemoryBound(to: Int8.self), stride, tokens, pairs)
    #endif
  }
}
