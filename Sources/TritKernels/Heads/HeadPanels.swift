internal import CTritKernels
import TritCore

/// Codes of an integer head in panels of 32 rows, runs of 32 columns one after another (tk_head.h):
/// one stream for each panel and no sum across lanes, so that a pass over the head takes as long as
/// reading it. Rows one after another are some 20 % slower on a Zen 4, whose prefetcher does not
/// follow a stream that the program asks for from afar, and whose sums across lanes then show.
struct HeadPanels: Sendable {
  /// Rows of a panel.
  static let rows = 32
  /// Bits of a code, 4, 6 or 8.
  let bits: Int
  private let columns: Int
  private let runs: Int
  let codes: AlignedBuffer<UInt8>

  /// Bytes of codes, and of scales that stand among them.
  var bytes: Int { codes.count }

  /// Zeros `[rows, columns]`; nil where this CPU has no leaf for panels, or not for so many
  /// columns.
  init?(bits: Int, rows: Int, columns: Int) {
    self.init(bits: bits, rows: rows, columns: columns) {
      AlignedBuffer(count: $0, isStreamed: true)
    }
  }

  /// The same with `codes(bytes)`, which may be those of an earlier one.
  init?(
    bits: Int, rows: Int, columns: Int, codes: (Int) throws -> AlignedBuffer<UInt8>
  ) rethrows {
    guard HeadWeights.takesIntegers(columns: columns) else { return nil }
    self.bits = bits
    self.columns = columns
    runs = (columns + 31) / 32
    let panels = (rows + Self.rows - 1) / Self.rows
    self.codes = try codes(panels * runs * Self.runBytes(bits))
  }

  private static func runBytes(_ bits: Int) -> Int {
    bits == 8 ? TK_HEAD_RUN_8 : bits == 6 ? TK_HEAD_RUN_6 : TK_HEAD_RUN_4
  }

  /// Writes one row of values below 2^(bits − 1) in magnitude, padded with zeros to whole runs, and
  /// a binary16 scale for each run if codes have fewer than 8 bits. Rows of one panel go to one
  /// thread: they share bytes.
  func write(_ values: UnsafePointer<Int8>, scales: UnsafePointer<UInt16>?, row: Int) {
    let bytes = Self.runBytes(bits)
    let panel = UnsafeMutableRawPointer(codes.base) + row / Self.rows * runs * bytes
    let (group, lane) = (row % Self.rows / 16, row % 16)
    // Four columns at a time, a byte each: value + 128 never borrows from the next byte.
    let excess = 0x0101_0101 * (128 - UInt32(1 << (bits - 1)))
    for run in 0..<runs {
      let base = panel + run * bytes
      if let scales {
        base.storeBytes(of: scales[run], toByteOffset: 2 * (row % Self.rows), as: UInt16.self)
      }
      for quad in 0..<8 {
        let four = UnsafeRawPointer(values + run * 32 + 4 * quad)
        let code = (four.loadUnaligned(as: UInt32.self) ^ 0x8080_8080) - excess
        guard bits < 8 else {
          base.storeBytes(
            of: code, toByteOffset: 128 * quad + 64 * group + 4 * lane, as: UInt32.self)
          continue
        }
        Self.add((code & 0x0F0F_0F0F) << UInt32(4 * group), to: base + 64 + 64 * quad + 4 * lane)
        if bits == 6 {
          let upper = (code >> 4) & 0x0303_0303
          Self.add(
            upper << UInt32(4 * (quad % 2) + 2 * group), to: base + 576 + 64 * (quad / 2) + 4 * lane
          )
        }
      }
    }
  }

  private static func add(_ bits: UInt32, to place: UnsafeMutableRawPointer) {
    place.storeBytes(of: place.load(as: UInt32.self) | bits, as: UInt32.self)
  }

  /// Logits of the rows in `range`, which starts at a multiple of 32; `rowScales`, of all rows, for
  /// 8 bits.
  func multiply(
    _ x: MatrixView<Float>, rowScales: UnsafePointer<Float>?, rows range: Range<Int>,
    into logits: MutableMatrixView<Float>
  ) {
    #if arch(x86_64)
      let first = codes.base + range.lowerBound / Self.rows * runs * Self.runBytes(bits)
      // Codes of fewer bits have their scales among them; the leaf then reads none here.
      let scales = rowScales.map { $0 + range.lowerBound } ?? UnsafePointer(x.base)
      tk_head_panels_avx512vnni(
        first, scales, Int32(bits), range.count, x.base, x.stride, x.rows, columns,
        logits.base + range.lowerBound, logits.stride)
    #endif
  }
}
