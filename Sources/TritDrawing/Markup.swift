import TritCore

/// Text that stands in a picture, a page or a table without being taken for markup.
public enum Markup {
  /// Text between tags of XML or HTML, or within an attribute in either kind of quotes.
  ///
  /// It goes scalar by scalar: a `<` with a combining accent is one character, and a tag all the
  /// same. Control characters, which XML cannot hold, become U+FFFD.
  public static func xml(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      default:
        let isIllegal = scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF
        result.unicodeScalars.append(isIllegal ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }

  /// Text as one cell of a Markdown table, or in a line of prose: nothing in it is markup, and a
  /// line break is `<br>`.
  public static func markdown(_ text: String) -> String {
    var result = ""
    for scalar in text.replacing("\r\n", with: "\n").unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\n", "\r": result += "<br>"
      case "\\", "|", "`", "*", "_", "[", "]", "$", "~", "#":
        result += "\\"
        result.unicodeScalars.append(scalar)
      default:
        result.unicodeScalars.append(scalar.value < 0x20 ? " " : scalar)
      }
    }
    return result
  }
}

/// Widths of text in terminals and pictures.
enum TextMeasure {
  /// Columns of a terminal.
  static func columns(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// `text` with spaces up to `width` columns, before or behind it.
  static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - columns(text)))
    return right ? space + text : text + space
  }

  /// Lines of at most `width` columns, cut between words, or within one that is too long.
  static func wrap(_ text: String, _ width: Int) -> [String] {
    let width = max(width, 1)
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = ""
      for word in paragraph.split(separator: " ") {
        var word = String(word)
        if !line.isEmpty, columns(line) + 1 + columns(word) <= width {
          line += " " + word
          continue
        }
        if !line.isEmpty { lines.append(line) }
        while columns(word) > width {
          var head = ""
          while let next = word.first, head.isEmpty || columns(head) + columns(next) <= width {
            head.append(word.removeFirst())
          }
          if word.isEmpty { word = head } else { lines.append(head) }
          if word == head { break }
        }
        line = word
      }
      lines.append(line)
    }
    return lines
  }

  /// A number of at most `digits` significant digits, without needless zeros, with a true minus.
  static func number(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "−∞" : "∞" }
    guard value != 0 else { return "0" }
    let magnitude = value.magnitude
    let exponent = exponent(magnitude)
    let sign = value < 0 ? "−" : ""
    guard (-4..<15).contains(exponent) else {
      let (mantissa, shown) = scaled(magnitude, exponent, digits)
      return sign + fixed(mantissa, max(0, digits - 1)) + "e\(shown)"
    }
    return sign + fixed(magnitude, max(0, digits - 1 - exponent))
  }

  private static func scaled(_ value: Double, _ exponent: Int, _ digits: Int) -> (Double, Int) {
    // Two steps: 10^308 and more overflow in one.
    var mantissa = value
    var left = exponent
    while left != 0 {
      let step = min(max(left, -200), 200)
      mantissa = step < 0 ? mantissa * power(-step) : mantissa / power(step)
      left -= step
    }
    let places = power(digits - 1)
    return (mantissa * places).rounded() / places >= 10
      ? (mantissa / 10, exponent + 1) : (mantissa, exponent)
  }

  private static func exponent(_ magnitude: Double) -> Int {
    var exponent = 0
    var rest = magnitude
    while rest >= 10 { (rest, exponent) = (rest / 10, exponent + 1) }
    while rest < 1 { (rest, exponent) = (rest * 10, exponent - 1) }
    return exponent
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<max(exponent, 0)).reduce(1.0) { product, _ in product * 10 }
  }

  /// `places` decimals at most; trailing zeros are left out.
  static func fixed(_ value: Double, _ places: Int) -> String {
    let places = min(places, 12)
    let factor = power(places)
    let whole = (value.magnitude * factor).rounded()
    guard whole < 9e18 else { return "\(value)" }
    let count = UInt64(whole)
    let unit = UInt64(factor)
    var text = "\(count / unit)"
    if places > 0 {
      let digits = "\(count % unit)"
      var decimals = String(repeating: "0", count: places - digits.count) + digits
      while decimals.last == "0" { decimals.removeLast() }
      if !decimals.isEmpty { text += "." + decimals }
    }
    return (value < 0 && count > 0 ? "−" : "") + text
  }
}
