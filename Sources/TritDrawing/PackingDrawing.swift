public import TritCore
public import TritKernels

/// A packing at work on a toy matrix: its trits, their codes, the bytes, and which trit lies in
/// which bits of which byte.
public struct PackingDrawing: Sendable, Drawable {
  /// The packing's registered name.
  public let name: String
  /// What it does, in a line.
  public let summary: String
  /// The toy weights.
  public let trits: TritGrid
  /// Where the bits are, in the matrix that was packed.
  public let map: PackingMap
  /// What the packing made.
  public let bytes: [UInt8]

  /// Packs `weights`, one scale for all. A packing that takes no such shape is given the smallest
  /// one that it takes, with the toy in its first rows and columns, and zeros. Throws what
  /// `packing` throws.
  public init(_ packing: any Packing, _ weights: TernaryMatrix, summary: String = "") throws {
    name = packing.name
    self.summary = summary
    trits = TritGrid(weights)
    let shape = try Self.shape(for: packing, rows: weights.rows, columns: weights.columns)
    map = try PackingMap(packing, rows: shape.rows, columns: shape.columns)
    let padded = AlignedBuffer<Int8>(count: shape.rows * shape.columns)
    for row in 0..<weights.rows {
      for column in 0..<weights.columns {
        padded[row * shape.columns + column] = trits.trits[row * weights.columns + column]
      }
    }
    let matrix = TernaryMatrix(
      rows: shape.rows, columns: shape.columns, trits: padded, scales: [weights.scales.first ?? 1])
    let packed = try packing.pack(.ternary(matrix))
    bytes = withExtendedLifetime(packed) { Array($0.bytes.buffer) }
  }

  /// The smallest shape from `rows` × `columns` on that `packing` takes. Throws what it says about
  /// the shape itself, where none is found.
  public static func shape(for packing: any Packing, rows: Int, columns: Int) throws
    -> (rows: Int, columns: Int)
  {
    do {
      try packing.check(rows: rows, columns: columns, granularity: .tensor)
      return (rows, columns)
    } catch {
      guard (1...PackingMap.maximumTrits).contains(rows),
        (1...PackingMap.maximumTrits).contains(columns)
      else { throw error }
      let fitting = shapes(rows: rows, columns: columns).first {
        (try? packing.check(rows: $0.rows, columns: $0.columns, granularity: .tensor)) != nil
      }
      guard let fitting else { throw error }
      return fitting
    }
  }

  /// Shapes that formats tend to ask for, from `rows` × `columns` on, the smallest first.
  public static func shapes(rows: Int, columns: Int) -> [(rows: Int, columns: Int)] {
    func up(_ count: Int, _ steps: [Int]) -> [Int] {
      Set(steps.map { (count + $0 - 1) / $0 * $0 }).sorted()
    }
    return up(rows, [1, 2, 4, 8, 16, 32, 64, 128, 256]).flatMap { rows in
      up(columns, [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512])
        .map { (rows: rows, columns: $0) }
    }.sorted { ($0.rows * $0.columns, $0.rows) < ($1.rows * $1.columns, $1.rows) }
  }

  // MARK: What lies where

  /// The packing's name, and the shape.
  public var heading: String { "\(name): \(trits.rows) × \(trits.columns) trits as bytes" }
  /// What it does.
  public var legend: String { summary }

  /// Says that the toy lies in a larger matrix; empty where it does not.
  public var padding: String {
    map.rows == trits.rows && map.columns == trits.columns
      ? ""
      : "\(name) does not take \(trits.rows) × \(trits.columns): they are the first rows and "
        + "columns of \(map.rows) × \(map.columns), the rest is 0."
  }

  /// The trit at an index of the packed matrix.
  public func trit(_ index: Int) -> Int8 {
    let (row, column) = (index / map.columns, index % map.columns)
    return row < trits.rows && column < trits.columns
      ? trits.trits[row * trits.columns + column] : 0
  }

  private func isToy(_ index: Int) -> Bool {
    index / map.columns < trits.rows && index % map.columns < trits.columns
  }

  /// Groups with a trit of the toy, by index.
  public var toyGroups: [Int] {
    map.groups.indices.filter { map.groups[$0].trits.contains(where: isToy) }
  }

  /// Offsets of the bytes that hold a trit of the toy.
  public var toyBytes: [Int] {
    Set(toyGroups.flatMap { map.groups[$0].bits.map { $0 / 8 } }).sorted()
  }

  /// The bytes that are told bit by bit: those of the first groups, so that what is coded together
  /// is seen together.
  var shownBytes: [Int] {
    var shown: [Int] = []
    for group in toyGroups {
      for byte in Set(map.groups[group].bits.map { $0 / 8 }).sorted() where !shown.contains(byte) {
        guard shown.count < Self.mostShownBytes else { return shown.sorted() }
        shown.append(byte)
      }
    }
    return shown.sorted()
  }

  /// `0,32` for a trit, `0,0–2` for neighbours in a row, else each.
  public func places(ofGroup index: Int) -> String {
    let trits = map.groups[index].trits
    guard let first = trits.first, let last = trits.last else { return "" }
    let (row, column) = (first / map.columns, first % map.columns)
    if trits.count == 1 { return "\(row),\(column)" }
    if last / map.columns == row, last - first == trits.count - 1 {
      return "\(row),\(column)–\(last % map.columns)"
    }
    let shown = trits.prefix(4).map { "\($0 / map.columns),\($0 % map.columns)" }
    return shown.joined(separator: " ") + (trits.count > 4 ? " …" : "")
  }

  /// `+0-` for the trits of a group.
  public func signs(ofGroup index: Int) -> String {
    map.groups[index].trits.prefix(8).map { TritGrid.sign(trit($0)) }.joined()
  }

  /// `byte 0, bits 7…6 = 10 (2)`.
  public func words(_ field: PackingMap.Field) -> String {
    let low = field.high - field.width + 1
    let bits = field.width == 1 ? "bit \(low)" : "bits \(field.high)…\(low)"
    let value = field.value(in: bytes)
    return
      "byte \(field.byte), \(bits) = \(BitFields.binary(UInt64(value), field.width)) (\(value))"
  }

  /// Where the scale stands; empty where it stands beside the bytes.
  public var scaleWords: String {
    let places = Set(map.scaleBits.map { $0 / 8 }).sorted()
    guard let first = places.first, let last = places.last else {
      return "The scale is kept beside the bytes."
    }
    let isRun = last - first == places.count - 1
    let shown =
      isRun
      ? (first == last ? "byte \(first)" : "bytes \(first)–\(last)")
      : "bytes " + places.prefix(6).map(String.init).joined(separator: ", ")
        + (places.count > 6 ? ", …" : "")
    return "The scale is in \(shown)."
  }

  /// `16 bytes of codes …`: sizes and bits a weight.
  public var sizeWords: String {
    let holding = Set(map.groups.flatMap { $0.bits.map { $0 / 8 } }).count
    let perWeight = Double(8 * holding) / Double(map.rows * map.columns)
    return "\(bytes.count) bytes, \(holding) of them with trits: "
      + "\(TextMeasure.number(perWeight, digits: 4)) bits a trit."
  }

  // MARK: Looks

  static let shownGroups = 12
  static let mostShownBytes = 6

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: picture]) }

  private var plain: String {
    let groups = toyGroups
    let table = Table(
      ["trits (row,column)", "signs", "where they lie"],
      groups.prefix(Self.shownGroups).map { index in
        [
          places(ofGroup: index), signs(ofGroup: index),
          map.fields(ofGroup: index).map(words).joined(separator: "; "),
        ]
      })
    var blocks = [heading + (legend.isEmpty ? "" : "\n" + wrapped(legend))]
    if let rule = PackingWords.rule(name) { blocks.append(wrapped(rule)) }
    blocks.append(trits.lines.joined(separator: "\n"))
    if !padding.isEmpty { blocks.append(wrapped(padding)) }
    blocks.append(
      table.plain(width: 80)
        + (groups.count > Self.shownGroups
          ? "\n… and \(groups.count - Self.shownGroups) more" : ""))
    for byte in shownBytes { blocks.append(byteLines(byte)) }
    let shown = ByteGrid("", bytes.prefix(160)).cells.body.joined(separator: "\n")
    blocks.append(
      "all bytes\n" + shown
        + (bytes.count > 160 ? "\n… and \(bytes.count - 160) more" : ""))
    blocks.append(wrapped(sizeWords + " " + scaleWords))
    return blocks.joined(separator: "\n\n")
  }

  private func wrapped(_ text: String) -> String {
    TextMeasure.wrap(text, 80).joined(separator: "\n")
  }

  /// A byte's bits over the trits that they stand for.
  private func byteLines(_ byte: Int) -> String {
    let fields = map.fields(ofByte: byte)
    var bits = ""
    var names = ""
    for field in fields {
      let value = BitFields.binary(UInt64(field.value(in: bytes)), field.width)
      let name =
        field.group.map { "\(places(ofGroup: $0)) \(signs(ofGroup: $0))" } ?? "no trit"
      let width = max(value.count, name.count) + 2
      bits += TextMeasure.padded(value, width)
      names += TextMeasure.padded(name, width)
    }
    let head = "byte \(byte) = 0x\(ByteGrid.text(bytes[byte], .hexadecimal))"
    let indent = "  "
    // A byte of many fields is told by its bits alone; the table has their places.
    guard names.count <= 76 else {
      return "\(head) = \(ByteGrid.text(bytes[byte], .binary))"
    }
    func trimmed(_ text: String) -> String {
      String(text.reversed().drop { $0 == " " }.reversed())
    }
    return [head, trimmed(indent + bits), trimmed(indent + names)].joined(separator: "\n")
  }

  /// Trits, bytes bit by bit, and all bytes.
  public func draw(on canvas: inout SVGCanvas) {
    let width = canvas.width - 24
    func say(_ text: String, _ ink: SVGCanvas.Ink = .text, bold: Bool = false) {
      canvas.height = canvas.prose(
        text, x: 12, y: canvas.height, width: width, ink, bold: bold)
    }
    if let rule = PackingWords.rule(name) { say(rule) }
    canvas.height += 4
    trits.draw(on: &canvas)
    if !padding.isEmpty { say(padding, .faint) }
    say("Bits of the first bytes, with the trits (row,column) in them", bold: true)
    canvas.height += 4
    for byte in shownBytes { draw(byte, on: &canvas) }
    if toyBytes.count > shownBytes.count {
      say("… and \(toyBytes.count - shownBytes.count) more bytes with trits of these.", .faint)
    }
    say("All bytes", bold: true)
    let toy = Set(toyBytes)
    ByteGrid("", bytes.prefix(160), marked: toy.filter { $0 < 160 }).draw(on: &canvas)
    if bytes.count > 160 { say("… and \(bytes.count - 160) more.", .faint) }
    say("Blue bytes hold trits of these. " + sizeWords + " " + scaleWords, .faint)
    canvas.height += 4
  }

  private func draw(_ byte: Int, on canvas: inout SVGCanvas) {
    let left = 12.0
    let side = (canvas.width - 24) / 8
    let y = canvas.height + 13
    canvas.text(
      "byte \(byte) = 0x\(ByteGrid.text(bytes[byte], .hexadecimal))", x: left, y: y, .faint)
    for (index, field) in map.fields(ofByte: byte).enumerated() {
      let start = left + side * Double(7 - field.high)
      let value = field.value(in: bytes)
      let tip = field.group.map { "\(places(ofGroup: $0)): \(signs(ofGroup: $0))" } ?? "no trit"
      for (offset, bit) in BitFields.binary(UInt64(value), field.width).enumerated() {
        let x = start + side * Double(offset)
        canvas.rectangle(
          x: x + 0.5, y: y + 5, width: side - 1, height: 24,
          field.group == nil ? .zero : .tint(index), radius: 2, tip: tip)
        canvas.text(
          String(bit), x: x + side / 2, y: y + 21.5, field.group == nil ? .onZero : .text,
          anchor: .middle, bold: true, mono: true)
      }
      let span = side * Double(field.width)
      let middle = start + span / 2
      guard let group = field.group else {
        if span > 50 {
          canvas.text("no trit", x: middle, y: y + 43, .faint, anchor: .middle, size: 11)
        }
        continue
      }
      let shown = self.signs(ofGroup: group).replacing("-", with: "−")
      let long = "\(places(ofGroup: group)): \(shown) (\(value))"
      let short = "\(places(ofGroup: group)): \(shown)"
      let first = map.groups[group].trits.first ?? 0
      let shortest = "\(first / map.columns),\(first % map.columns)"
      let text =
        [long, short].first { 6.4 * Double(TextMeasure.columns($0)) < span } ?? shortest
      canvas.text(text, x: middle, y: y + 43, anchor: .middle, size: 11)
    }
    canvas.height = y + 52
  }
}

/// The rules of layouts that are known by name, in a few words.
enum PackingWords {
  static func rule(_ name: String) -> String? {
    switch name {
    case "i2_s":
      "128 columns of a row are 32 bytes. Code 0 is −1, 1 is 0, 2 is +1; byte p holds columns p, "
        + "32 + p, 64 + p and 96 + p of its block, the first in the highest two bits."
    case "tl1":
      "Two neighbours w0, w1 are one index 3·w0 + w1 + 4 of 0…8, a nibble: columns 4i and 4i + 1 "
        + "in the high one, 4i + 2 and 4i + 3 in the low one. 16 rows stand side by side."
    case "tl2":
      "Three neighbours are v = 9·w0 + 3·w1 + w2: the index |v| of 0…13 is a nibble, the sign of v "
        + "one bit in a plane of its own. Columns that are left over are pairs, as in tl1."
    case "tq2_0":
      "256 columns of a row are 64 bytes and a float16 scale. Code 0 is −1, 1 is 0, 2 is +1; a byte "
        + "holds 4 trits that are 32 columns apart, the first in the lowest two bits."
    case "tq1_0":
      "256 columns of a row are 52 bytes and a float16 scale. A byte holds 5 trits, or 4 in the last "
        + "4 bytes, as a number in base 3, scaled to 256."
    case "q2_0", "pq2_0":
      "\(name == "q2_0" ? 64 : 128) columns of a row are a float16 scale and \(name == "q2_0" ? 16 : 32) "
        + "bytes. Code 0 is −1, 1 is 0, 2 is +1; a byte holds 4 neighbours, the first in the lowest "
        + "two bits."
    case "ptq1_0":
      "128 columns of a row are 26 bytes and a float16 scale. A byte holds 5 trits, or 4 in the last "
        + "2 bytes, as a number in base 3, scaled to 256."
    case "base3":
      "Five neighbours are digits of one number in base 3, the first the highest: "
        + "81·d0 + 27·d1 + 9·d2 + 3·d3 + d4 with d = trit + 1, in 0…242."
    case "int8": "A signed byte a weight: −1 is 0xff, 0 is 0x00, +1 is 0x01."
    case "int4":
      "A signed nibble a weight: −1 is 15, 0 is 0, +1 is 1; the even column in the low nibble."
    default: nil
    }
  }
}
