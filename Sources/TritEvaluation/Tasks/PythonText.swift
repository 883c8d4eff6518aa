/// Operations on text as Python's `str` has them: on code points, never on grapheme clusters, and
/// without Unicode normalization. Prompts of other tools are made by these.
package enum PythonText {
  /// `str.isspace` of one code point, which is also `\s` of `re`: Unicode's white space and the
  /// four separators U+001C to U+001F.
  package static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// `str.lstrip()`.
  package static func strippedInFront(_ text: String) -> String {
    String(Substring(text.unicodeScalars.drop(while: isSpace)))
  }

  /// `str.rstrip()`.
  package static func strippedBehind(_ text: String) -> String {
    var scalars = text.unicodeScalars[...]
    while let last = scalars.last, isSpace(last) { scalars = scalars.dropLast() }
    return String(Substring(scalars))
  }

  /// `str.strip()`.
  package static func stripped(_ text: String) -> String { strippedBehind(strippedInFront(text)) }

  /// `str.capitalize()`: the first code point in title case, all others in lower case. A capital
  /// sigma at the end of a word becomes ς (Unicode, SpecialCasing: Final_Sigma).
  package static func capitalized(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    guard let first = scalars.first else { return "" }
    var result = first.properties.titlecaseMapping
    for (index, scalar) in scalars.enumerated().dropFirst() {
      if scalar.value == 0x3A3 {
        result += isFinal(index, scalars) ? "\u{3C2}" : "\u{3C3}"
      } else {
        result += scalar.properties.lowercaseMapping
      }
    }
    return result
  }

  /// Whether a sigma stands at the end of a word: a cased letter before it, none after it, those
  /// that case ignores passed over.
  private static func isFinal(_ index: Int, _ scalars: [Unicode.Scalar]) -> Bool {
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    guard let before, before.properties.isCased else { return false }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return after.map { !$0.properties.isCased } ?? true
  }

  /// `text.replace(old, new)`: from the left, without overlap. `old` is not empty.
  package static func replaced(_ text: String, _ old: String, _ new: String) -> String {
    String(decoding: replaced(Array(text.utf8), Array(old.utf8), Array(new.utf8)), as: UTF8.self)
  }

  /// The same on UTF-8, where a code point never begins within another.
  package static func replaced(_ text: [UInt8], _ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      if text[index] == old[0], text.count - index >= old.count,
        text[index..<index + old.count].elementsEqual(old)
      {
        result += new
        index += old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// `re.sub(r"\[.*?\]", "", text)`: what stands in square brackets on one line goes.
  package static func withoutBrackets(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "["),
        let end = bytes[index...].firstIndex(where: {
          $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "\n")
        }), bytes[end] == UInt8(ascii: "]")
      {
        index = end + 1
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// `len(re.split(r"\s+", text))`: the runs of white space and one more, so that what stands
  /// before a run in front and after one at the end counts too.
  package static func fieldCount(_ text: String) -> Int {
    var runs = 0
    var wasSpace = false
    for scalar in text.unicodeScalars {
      let isSpace = isSpace(scalar)
      if isSpace, !wasSpace { runs += 1 }
      wasSpace = isSpace
    }
    return runs + 1
  }

  /// `text.split(" ")` in two: all but the last, joined by spaces, and the last.
  package static func withoutLastWord(_ text: String) -> (front: String, last: String) {
    let scalars = text.unicodeScalars
    guard let space = scalars.lastIndex(of: " ") else { return ("", text) }
    return (
      String(Substring(scalars[..<space])),
      String(Substring(scalars[scalars.index(after: space)...]))
    )
  }
}
