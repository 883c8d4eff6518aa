/// Text of unknown origin as it may be shown: what would move a cursor, change a terminal's state,
/// turn the direction of writing or hide itself is written out.
///
/// `\u{1b}` stands for the character of that number, `\x9c` for a byte that is no UTF-8.
/// Backslashes stay as they are, so text that has been made visible stays the same when it is
/// again. Whatever prints names, values or messages goes through here; files that have rules of
/// their own (JSON, HTML, CSV, gnuplot) are written by those.
public enum VisibleText {
  /// One line: controls, line ends and tabs included, and format characters are written out.
  public static func line(_ text: String) -> String { escape(text) { isHidden($0) } }

  /// The same, but newlines and tabs stay.
  public static func lines(_ text: String) -> String {
    escape(text) { $0 != "\n" && $0 != "\t" && isHidden($0) }
  }

  /// Text of a model, or of a file that is read as text, over several lines: controls and the marks
  /// that turn the direction of writing are written out; joiners, which emoji and some scripts
  /// need, stay.
  public static func prose(_ text: String) -> String {
    escape(text) { scalar in
      switch scalar {
      case "\n", "\t": false
      case "\u{200C}", "\u{200D}", "\u{AD}", "\u{2060}": false
      default: isHidden(scalar)
      }
    }
  }

  /// Bytes on one line: as `line` where they are UTF-8; else every byte that is no printable ASCII
  /// is written out.
  public static func bytes(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return line(text) }
    return bytes.map { byte in
      (0x20..<0x7F).contains(byte)
        ? String(UnicodeScalar(byte))
        : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// Whether a character is a control (C0, DEL, C1), a format character (among them all that turn
  /// the direction of writing), a line or paragraph separator, or no character at all.
  public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    // Nearly all text.
    if (0x20..<0x7F).contains(scalar.value) { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return scalar.properties.isNoncharacterCodePoint
    }
  }

  private static func escape(_ text: String, _ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard text.unicodeScalars.contains(where: isEscaped) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isEscaped(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
      }
    }
    return result
  }
}
