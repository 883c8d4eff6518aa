import TritCore

/// The sums that two or three trits can make of their activations, sixteen at once.
enum LookupTable {
  /// w₀ of TL1's index 0…8; zero past it.
  private static let pairFirst = SIMD16<Int16>(
    -1, -1, -1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
  /// w₁ of TL1's index 0…8; zero past it.
  private static let pairSecond = SIMD16<Int16>(
    -1, 0, 1, -1, 0, 1, -1, 0, 1, 0, 0, 0, 0, 0, 0, 0)
  /// w₀, w₁, w₂ of TL2's index 0…13, which is 9 w₀ + 3 w₁ + w₂; zero past it.
  private static let tripleFirst = SIMD16<Int16>(
    0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0)
  private static let tripleSecond = SIMD16<Int16>(
    0, 0, 1, 1, 1, -1, -1, -1, 0, 0, 0, 1, 1, 1, 0, 0)
  private static let tripleThird = SIMD16<Int16>(
    0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, 0, 0)

  /// TL1's entries for the activations (a, b): w₀ a + w₁ b; nine, then zeros.
  @inline(__always) static func pair(_ a: Int8, _ b: Int8) -> SIMD16<Int16> {
    pairFirst &* Int16(a) &+ pairSecond &* Int16(b)
  }

  /// TL2's entries for the activations (a, b, c): fourteen, then zeros.
  @inline(__always) static func triple(_ a: Int8, _ b: Int8, _ c: Int8) -> SIMD16<Int16> {
    tripleFirst &* Int16(a) &+ tripleSecond &* Int16(b) &+ tripleThird &* Int16(c)
  }

  /// The low bytes of sixteen entries.
  @inline(__always) static func low(_ entries: SIMD16<Int16>) -> SIMD16<UInt8> {
    SIMD16<UInt8>(truncatingIfNeeded: entries)
  }

  /// The high bytes of sixteen entries.
  @inline(__always) static func high(_ entries: SIMD16<Int16>) -> SIMD16<UInt8> {
    SIMD16<UInt8>(truncatingIfNeeded: entries &>> 8)
  }
}

/// TL1's tables, lossless: int16 entries split in two byte tables (the paper's pack and unpack), so
/// that a byte shuffle can look both up. For each pair of columns 16 high bytes, then 16 low bytes:
/// 16 bytes a column. They depend on nothing but the activations: all layers with the same input
/// share them.
///
/// An all-zero row gives zero tables; upstream's division by its maximum gives NaN.
struct TL1Tables: LookupTables {
  let id = "tl1-int16"

  func tokenBytes(columns: Int) -> Int { columns / 2 * 32 }
  func byteCount(rows: Int, columns: Int) -> Int { rows * tokenBytes(columns: columns) }

  /// Pairs that one part holds.
  private static let pairs = 64

  func parts(rows: Int, columns: Int) -> Int { rows * Size.quotient(columns / 2, Self.pairs) }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let pairs = input.columns / 2
    let partsPerRow = Size.quotient(pairs, Self.pairs)
    for part in range {
      let row = part / partsPerRow
      let first = part % partsPerRow * Self.pairs
      let values = input.row(row)
      var out = output + (row * pairs + first) * 32
      for pair in first..<min(first + Self.pairs, pairs) {
        let entries = LookupTable.pair(values[2 * pair], values[2 * pair + 1])
        out.storeBytes(of: LookupTable.high(entries), as: SIMD16<UInt8>.self)
        out.storeBytes(of: LookupTable.low(entries), toByteOffset: 16, as: SIMD16<UInt8>.self)
        out += 32
      }
    }
  }
}

/// TL2's tables, lossless: for each triple of the first `tripleColumns` columns, then for each pair
/// of the rest, 16 low bytes, then 16 high bytes. Layers with the same input and split share them.
struct TL2Tables: LookupTables {
  /// Columns in triples.
  let tripleColumns: Int

  var id: String { "tl2-int16-\(tripleColumns)" }

  /// Tables of one row.
  func tables(columns: Int) -> Int { tripleColumns / 3 + (columns - tripleColumns) / 2 }

  func tokenBytes(columns: Int) -> Int { tables(columns: columns) * 32 }
  func byteCount(rows: Int, columns: Int) -> Int { rows * tokenBytes(columns: columns) }

  /// Tables that one part holds.
  private static let partTables = 64

  func parts(rows: Int, columns: Int) -> Int {
    rows * Size.quotient(tables(columns: columns), Self.partTables)
  }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let tables = tables(columns: input.columns)
    let triples = tripleColumns / 3
    let partsPerRow = Size.quotient(tables, Self.partTables)
    for part in range {
      let row = part / partsPerRow
      let first = part % partsPerRow * Self.partTables
      let values = input.row(row)
      var out = output + (row * tables + first) * 32
      for table in first..<min(first + Self.partTables, tables) {
        let entries: SIMD16<Int16>
        if table < triples {
          let a = values + 3 * table
          entries = LookupTable.triple(a[0], a[1], a[2])
        } else {
          let a = values + tripleColumns + 2 * (table - triples)
          entries = LookupTable.pair(a[0], a[1])
        }
        out.storeBytes(of: LookupTable.low(entries), as: SIMD16<UInt8>.self)
        out.storeBytes(of: LookupTable.high(entries), toByteOffset: 16, as: SIMD16<UInt8>.self)
        out += 32
      }
    }
  }
}
