/// Text as Python sees it: a list of code points.
///
/// Lengths, indices and slices count code points, and texts are equal where their code points are:
/// `String` counts and compares characters, which are other things.
typealias Scalars = [Unicode.Scalar]

extension [Unicode.Scalar] {
  /// The code points of `text`.
  init(_ text: String) { self = Self(text.unicodeScalars) }

  /// The text.
  var string: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: self)
    return String(view)
  }

  /// Where `other` stands first at or after `start`; an empty one stands everywhere.
  func position(of other: Scalars, from start: Int = 0) -> Int? {
    guard other.count <= count else { return nil }
    guard let first = other.first else { return start <= count ? start : nil }
    var index = start
    while index + other.count <= count {
      if self[index] == first, matches(other, at: index) { return index }
      index += 1
    }
    return nil
  }

  /// Where `other`, not empty, stands last, ending at or before `end`.
  func lastPosition(of other: Scalars, before end: Int) -> Int? {
    var index = end - other.count
    while index >= 0 {
      if matches(other, at: index) { return index }
      index -= 1
    }
    return nil
  }

  /// Whether `other` stands at `index`.
  func matches(_ other: Scalars, at index: Int) -> Bool {
    guard index >= 0, index + other.count <= count else { return false }
    for offset in other.indices where self[index + offset] != other[offset] { return false }
    return true
  }

  /// Whether the ASCII text `other` stands at `index`.
  func matches(_ other: StaticString, at index: Int) -> Bool {
    let length = other.utf8CodeUnitCount
    guard index >= 0, index + length <= count else { return false }
    for offset in 0..<length where self[index + offset].value != UInt32(other.utf8Start[offset]) {
      return false
    }
    return true
  }

  /// Without what `isStripped` accepts at the sides that are asked for.
  func stripped(
    left: Bool = true, right: Bool = true,
    of isStripped: (Unicode.Scalar) -> Bool = PythonCharacter.isSpace
  ) -> Scalars {
    var start = 0
    var end = count
    if left { while start < end, isStripped(self[start]) { start += 1 } }
    if right { while end > start, isStripped(self[end - 1]) { end -= 1 } }
    return start == 0 && end == count ? self : Array(self[start..<end])
  }

  /// Every `other` replaced, the first `most` from the left; an empty `other` stands between all
  /// code points.
  func replacing(_ other: Scalars, with new: Scalars, atMost most: Int = .max) -> Scalars {
    var result: Scalars = []
    var index = 0
    var left = most
    if other.isEmpty {
      while index < count, left > 0 {
        result += new
        result.append(self[index])
        index += 1
        left -= 1
      }
      return result + self[index...] + (left > 0 ? new : [])
    }
    while left > 0, let next = position(of: other, from: index) {
      result += self[index..<next]
      result += new
      index = next + other.count
      left -= 1
    }
    return index == 0 ? self : result + self[index...]
  }

  /// How often `other` stands in the text, without overlaps.
  func occurrences(of other: Scalars) -> Int {
    guard !other.isEmpty else { return count + 1 }
    var index = 0
    var found = 0
    while let next = position(of: other, from: index) {
      found += 1
      index = next + other.count
    }
    return found
  }

  /// Upper case by Unicode's full mapping.
  var uppercased: Scalars { flatMap { $0.properties.uppercaseMapping.unicodeScalars } }

  /// Lower case by Unicode's full mapping; a capital sigma at the end of a word becomes ς.
  var lowercased: Scalars {
    var result: Scalars = []
    result.reserveCapacity(count)
    for (index, scalar) in enumerated() {
      if scalar == "Σ" {
        result.append(isFinalSigma(index) ? "ς" : "σ")
      } else {
        result += scalar.properties.lowercaseMapping.unicodeScalars
      }
    }
    return result
  }

  /// Unicode's rule Final_Sigma: a cased letter before, none after, marks passed over.
  private func isFinalSigma(_ index: Int) -> Bool {
    let before = self[..<index].last { !$0.properties.isCaseIgnorable }
    let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }

  /// The first code point in title case, the rest in lower case (`str.capitalize`).
  var capitalized: Scalars {
    guard let first else { return [] }
    return Array(first.properties.titlecaseMapping.unicodeScalars)
      + Array(lowercased.dropFirst(first.properties.lowercaseMapping.unicodeScalars.count))
  }
}

/// What Python's `str` says of single code points.
enum PythonCharacter {
  /// `str.isspace`: what `strip`, `split` and `\s` take for white space.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// A letter, digit or `_`: what `\w` takes.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar == "_" || isASCIILetter(scalar) || isDigit(scalar) }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      return true
    default: return false
    }
  }

  /// Whether a name may begin with it.
  static func beginsName(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || (isWord(scalar) && scalar.properties.numericType == nil)
  }

  static func isASCIILetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z": true
    default: false
    }
  }

  static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "0"..."9": true
    default: false
    }
  }

  /// The value of a hexadecimal digit.
  static func hexadecimal(_ scalar: Unicode.Scalar) -> UInt32? {
    switch scalar {
    case "0"..."9": scalar.value - 0x30
    case "a"..."f": scalar.value - 0x57
    case "A"..."F": scalar.value - 0x37
    default: nil
    }
  }

  /// Whether `repr` shows it as it is.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }
}
