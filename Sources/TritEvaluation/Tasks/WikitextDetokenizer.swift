/// Undoes the tokenization of WikiText's pages, as lm-evaluation-harness does before it scores them
/// (0.4.13, `tasks/wikitext/preprocess_wikitext.py`, task version 2).
package enum WikitextDetokenizer {
  /// What is replaced before brackets and quotes, in order.
  private static let before = [
    (" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", "."), (" : ", ": "), (" ; ", "; "), (" . ", ". "),
    (" ! ", "! "), (" ? ", "? "), (" , ", ", "),
  ]
  /// And after them.
  private static let after = [
    ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" \u{B0} ", "\u{B0}"), (" \n", "\n"),
    ("\n ", "\n"), (" N ", " 1 "), (" 's", "'s"),
  ]

  /// The text that is scored for a page.
  package static func text(of page: String) -> String {
    var bytes = PythonText.replaced(Array(page.utf8), Array("s '".utf8), Array("s'".utf8))
    bytes = slashes(bytes)
    for (old, new) in before {
      bytes = PythonText.replaced(bytes, Array(old.utf8), Array(new.utf8))
    }
    var text = String(decoding: bytes, as: UTF8.self)
    let pairs: [(Unicode.Scalar, Unicode.Scalar)] = [
      ("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'"),
    ]
    for (open, close) in pairs {
      text = trimmed(text, open: open, close: close)
    }
    bytes = Array(text.utf8)
    for (old, new) in after { bytes = PythonText.replaced(bytes, Array(old.utf8), Array(new.utf8)) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `re.sub(r"/' [0-9]/", r"/'[0-9]/", text)`: the replacement is meant as an expression and taken
  /// literally, in the harness and so here.
  private static func slashes(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      if text.count - index >= 5, text[index] == UInt8(ascii: "/"),
        text[index + 1] == UInt8(ascii: "'"), text[index + 2] == 0x20,
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index + 3]),
        text[index + 4] == UInt8(ascii: "/")
      {
        result += "/'[0-9]/".utf8
        index += 5
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// `re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)", text)` and its like: white space inside a pair goes;
  /// a pair begins at the first opening sign and ends at the first closing one after it, lines
  /// apart or not.
  private static func trimmed(
    _ text: String, open: Unicode.Scalar, close: Unicode.Scalar
  ) -> String {
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      guard scalars[index] == open else {
        result.append(scalars[index])
        index += 1
        continue
      }
      guard let end = scalars[(index + 1)...].firstIndex(of: close) else {
        // Nothing closes any more.
        result.append(contentsOf: scalars[index...])
        break
      }
      var inner = scalars[index + 1..<end]
      while let first = inner.first, PythonText.isSpace(first) { inner = inner.dropFirst() }
      while let last = inner.last, PythonText.isSpace(last) { inner = inner.dropLast() }
      result.append(open)
      result.append(contentsOf: inner)
      result.append(close)
      index = end + 1
    }
    return String(result)
  }
}
