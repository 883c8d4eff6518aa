import TritCore

/// Writes JSON documents as text that `JSONReader`, and any other reader, takes back unchanged.
public enum JSONWriter {
  /// The text of `value`: on one line without spaces, or, when `pretty`, indented by two spaces
  /// with `"key": value`, like Python's `json.dumps(indent=2)`. There is no newline at the end.
  public static func text(_ value: JSONValue, pretty: Bool = false) -> String {
    var output: [UInt8] = []
    append(value, to: &output, indent: pretty ? 0 : nil)
    return String(decoding: output, as: UTF8.self)
  }

  private static func append(_ value: JSONValue, to output: inout [UInt8], indent: Int?) {
    switch value {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .number(let text): output += text.utf8
    case .string(let text): append(text, to: &output)
    case .array(let values):
      list(values, "[", "]", to: &output, indent: indent) { value, output, indent in
        append(value, to: &output, indent: indent)
      }
    case .object(let members):
      list(members, "{", "}", to: &output, indent: indent) { member, output, indent in
        append(member.key, to: &output)
        output += (indent == nil ? ":" : ": ").utf8
        append(member.value, to: &output, indent: indent)
      }
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ open: String, _ close: String, to output: inout [UInt8], indent: Int?,
    _ write: (Element, inout [UInt8], Int?) -> Void
  ) {
    output += open.utf8
    let inner = indent.map { $0 + 2 }
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      newline(inner, &output)
      write(element, &output, inner)
    }
    if !elements.isEmpty { newline(indent, &output) }
    output += close.utf8
  }

  private static func newline(_ indent: Int?, _ output: inout [UInt8]) {
    guard let indent else { return }
    output.append(0x0a)
    output.append(contentsOf: repeatElement(0x20, count: indent))
  }

  /// A string in quotes. Quotes, backslashes and what `VisibleText` calls hidden are escaped: the
  /// text means the same to every reader, and can be shown as it is.
  private static func append(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    // Nearly all strings are ASCII, and the numbers of their bytes those of their characters.
    if !text.utf8.allSatisfy({ $0 < 0x80 }), text.unicodeScalars.contains(where: isEscaped) {
      for scalar in text.unicodeScalars {
        guard isEscaped(scalar) else {
          append(plain: String(scalar), to: &output)
          continue
        }
        for unit in String(scalar).utf16 { append(unit, to: &output) }
      }
    } else {
      append(plain: text, to: &output)
    }
    output.append(UInt8(ascii: "\""))
  }

  private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x80 && VisibleText.isHidden(scalar)
  }

  private static func append(_ unit: UInt16, to output: inout [UInt8]) {
    let digits = String(unit, radix: 16)
    output += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
  }

  private static func append(plain text: String, to output: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): output += "\\\"".utf8
      case UInt8(ascii: "\\"): output += "\\\\".utf8
      case 0x0a: output += "\\n".utf8
      case 0x0d: output += "\\r".utf8
      case 0x09: output += "\\t".utf8
      case 0..<0x20, 0x7f: append(UInt16(byte), to: &output)
      default: output.append(byte)
      }
    }
  }
}
