import TritCore

/// Lossy tables of TL1_0 and TL2_0: each entry rounded to int8, so that one byte look-up replaces
/// two.
///
/// A row of activations has one factor f for its triples and one for its pairs, f = max(1, greatest
/// entry / 127), and the entry v becomes round(v / f): an entry is off by at most f / 2, and one
/// that fits int8 as it is stays exact. 64 bytes a row hold the two factors, then 16 bytes follow
/// for each triple of the first `tripleColumns` columns and each pair of the rest (an odd last
/// column is paired with zero), then zeros up to a multiple of 128 bytes, so that panels may read
/// whole lines.
///
/// Source: arXiv 2502.11880, TL1_0 and TL2_0, after T-MAC, arXiv 2407.00088; the floor of 1 under f
/// is ours.
struct ByteTables: InputLayout {
  /// Columns in triples; 0 for TL1_0.
  let tripleColumns: Int
  /// Bytes before the tables of a row.
  static let head = 64

  var id: String { "tables-int8-\(tripleColumns)" }

  func tables(columns: Int) -> Int {
    tripleColumns / 3 + Size.quotient(columns - tripleColumns, 2)
  }
  func rowBytes(columns: Int) -> Int {
    Self.head + Size.quotient(tables(columns: columns), 8) * 128
  }
  func byteCount(rows: Int, columns: Int) -> Int { rows * rowBytes(columns: columns) }
  func parts(rows: Int, columns: Int) -> Int { rows }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let triples = tripleColumns / 3
    let tables = tables(columns: input.columns)
    for row in range {
      let values = input.row(row)
      let out = output + row * rowBytes(columns: input.columns)
      let factors = (
        factor(values, 0..<tripleColumns, 3), factor(values, tripleColumns..<input.columns, 2)
      )
      out.storeBytes(of: factors.0, as: Float.self)
      out.storeBytes(of: factors.1, toByteOffset: 4, as: Float.self)
      let used = Self.head + tables * 16
      (out + used).initializeMemory(
        as: UInt8.self, repeating: 0, count: rowBytes(columns: input.columns) - used)
      for table in 0..<tables {
        let entries: SIMD16<Int16>
        if table < triples {
          let a = values + 3 * table
          entries = LookupTable.triple(a[0], a[1], a[2])
        } else {
          let a = values + tripleColumns + 2 * (table - triples)
          entries = LookupTable.pair(a[0], a[1])
        }
        let factor = table < triples ? factors.0 : factors.1
        let rounded = (SIMD16<Float>(entries) / factor).rounded(.toNearestOrEven)
        out.storeBytes(
          of: SIMD16<Int8>(rounded), toByteOffset: Self.head + table * 16, as: SIMD16<Int8>.self)
      }
    }
  }

  /// max(1, greatest entry / 127) over the groups of `size` columns in `columns`.
  private func factor(
    _ values: UnsafePointer<Int8>, _ columns: Range<Int>, _ size: Int
  ) -> Float {
    var greatest = 0
    for start in stride(from: columns.lowerBound, to: columns.upperBound, by: size) {
      greatest = max(
        greatest, (start..<(start + size)).reduce(0) { $0 + abs(Int(values[$1])) })
    }
    return max(1, Float(greatest) / 127)
  }
}

/// How a table of 16 entries lies in memory.
protocol TableForm {
  /// Bytes of one table.
  static var bytes: Int { get }
  /// Entry `index` of the table at `table`.
  static func entry(_ table: UnsafePointer<UInt8>, _ index: Int) -> Int32
}

/// TL1: 16 high bytes, then 16 low bytes.
enum HighLowTable: TableForm {
  static let bytes = 32
  @inline(__always) static func entry(_ table: UnsafePointer<UInt8>, _ index: Int) -> Int32 {
    Int32(Int16(bitPattern: UInt16(table[index]) << 8 | UInt16(table[index + 16])))
  }
}

/// TL2: 16 low bytes, then 16 high bytes.
enum LowHighTable: TableForm {
  static let bytes = 32
  @inline(__always) static func entry(_ table: UnsafePointer<UInt8>, _ index: Int) -> Int32 {
    Int32(Int16(bitPattern: UInt16(table[index + 16]) << 8 | UInt16(table[index])))
  }
}

/// TL1_0, TL2_0: 16 signed bytes.
enum ByteTable: TableForm {
  static let bytes = 16
  @inline(__always) static func entry(_ table: UnsafePointer<UInt8>, _ index: Int) -> Int32 {
    Int32(Int8(bitPattern: table[index]))
  }
}
