import TritCore

/// One byte or word cut into fields with names and values, from its highest bit down.
public struct BitFields: Sendable, Equatable, Drawable {
  /// So many neighbouring bits.
  public struct Field: Sendable, Equatable {
    /// What it is.
    public var name: String
    /// How many bits.
    public var width: Int
    /// What its value means; the number alone where it is empty.
    public var meaning: String

    /// Names `width` bits.
    public init(_ name: String, width: Int, meaning: String = "") {
      (self.name, self.width, self.meaning) = (name, width, meaning)
    }
  }

  /// The picture's name.
  public var title: String
  /// The bits.
  public let word: UInt64
  /// How many there are: 1…64.
  public let bits: Int
  /// The fields, from the highest bit down.
  public let fields: [Field]

  /// Cuts `word`. Throws `LabError` where the widths do not add up to `bits`, or a bit above them
  /// is set.
  public init(_ title: String = "", word: UInt64, bits: Int = 8, fields: [Field]) throws {
    guard (1...64).contains(bits), bits == 64 || word >> UInt64(bits) == 0 else {
      throw LabError(
        .badData, "the word does not fit its bits", expected: "a word of 1 to 64 bits",
        got: "\(word) in \(bits) bits", advice: "give the word's true number of bits",
        code: .wrongShape)
    }
    let widths = fields.map(\.width)
    guard widths.allSatisfy({ (1...64).contains($0) }), widths.reduce(0, +) == bits else {
      throw LabError(
        .badData, "the fields do not fill the word", expected: "widths from 1, \(bits) in all",
        got: widths.map(String.init).joined(separator: " + "),
        advice: "name unused bits too", code: .wrongShape)
    }
    (self.title, self.word, self.bits, self.fields) = (title, word, bits, fields)
  }

  /// Each field with its highest bit and value.
  var parts: [(field: Field, high: Int, value: UInt64)] {
    var high = bits - 1
    return fields.map { field in
      let low = high - field.width + 1
      let mask = field.width == 64 ? UInt64.max : (1 << UInt64(field.width)) - 1
      let part = (field, high, word >> UInt64(low) & mask)
      high = low - 1
      return part
    }
  }

  static func binary(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value, radix: 2)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Text and picture.
  public var displayData: DisplayData {
    let parts = parts
    let table = Table(
      ["bits", "value", "code", "field", "meaning"],
      parts.map { part in
        let low = part.high - part.field.width + 1
        return [
          part.high == low ? "\(low)" : "\(part.high)…\(low)",
          Self.binary(part.value, part.field.width), "\(part.value)", part.field.name,
          part.field.meaning,
        ]
      })
    let whole = parts.map { Self.binary($0.value, $0.field.width) }.joined(separator: " ")
    let plain = ([title, whole, table.plain(width: 80)].filter { !$0.isEmpty })
      .joined(separator: "\n")
    return DisplayData(plain: plain, [.svg: picture])
  }

  /// The number of bits, where it has no title.
  public var heading: String { title.isEmpty ? "\(bits) bits in fields" : title }

  /// Bits in the tints of their fields, and what each field is.
  public func draw(on canvas: inout SVGCanvas) {
    let perLine = min(bits, 16)
    let side = (canvas.width - 24) / Double(perLine)
    for line in stride(from: 0, to: bits, by: perLine) {
      let y = canvas.height
      for (index, part) in parts.enumerated() {
        for bit in 0..<part.field.width {
          let place = bits - 1 - part.high + bit
          guard (line..<(line + perLine)).contains(place) else { continue }
          let x = 12 + side * Double(place - line)
          canvas.rectangle(
            x: x + 0.5, y: y, width: side - 1, height: 26, .tint(index), radius: 2)
          let value = part.value >> UInt64(part.field.width - 1 - bit) & 1
          canvas.text(
            "\(value)", x: x + side / 2, y: y + 17.5, anchor: .middle, bold: true, mono: true)
        }
      }
      canvas.height += 32
    }
    for (index, part) in parts.enumerated() {
      let low = part.high - part.field.width + 1
      canvas.rectangle(x: 12, y: canvas.height + 4, width: 12, height: 12, .tint(index), radius: 2)
      let place = part.high == low ? "bit \(low)" : "bits \(part.high)…\(low)"
      let meaning = part.field.meaning.isEmpty ? "" : ": \(part.field.meaning)"
      canvas.height = canvas.prose(
        "\(part.field.name), \(place) = \(part.value)\(meaning)", x: 30, y: canvas.height - 2,
        width: canvas.width - 42)
    }
    canvas.height += 8
  }
}
