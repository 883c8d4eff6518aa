/// The character classes that pre-tokenizers ask for, one bit each.
struct CharacterClass: OptionSet, Sendable {
  let rawValue: UInt8
  /// `\p{L}`.
  static let letter = CharacterClass(rawValue: 1)
  /// `\p{N}`.
  static let number = CharacterClass(rawValue: 2)
  /// `\s`: the Unicode property White_Space.
  static let whitespace = CharacterClass(rawValue: 4)
  /// `\p{P}`.
  static let punctuation = CharacterClass(rawValue: 8)
  /// The ASCII symbols `$ + < = > ^ | ~` that are printed like punctuation but are \p{S}.
  static let asciiSymbol = CharacterClass(rawValue: 16)
  /// The backtick, \p{S} too; apart because one pre-tokenizer leaves it out.
  static let backtick = CharacterClass(rawValue: 32)
  /// `\w`: alphabetic, marks, decimal digits, connector punctuation, joiners (UTS 18).
  static let word = CharacterClass(rawValue: 64)
  /// `[0-9]`.
  static let asciiDigit = CharacterClass(rawValue: 128)

  /// Punctuation as Hugging Face's `Punctuation` counts it.
  static let anyPunctuation: CharacterClass = [.punctuation, .asciiSymbol, .backtick]
}

/// Classes of every scalar, from `Unicode.Scalar.Properties`, kept in a table where text mostly is.
enum CharacterClasses {
  /// Scalars below this are in the table: the basic and supplementary multilingual planes.
  static let tableCount = 0x20000

  // Filled once at first use and never written again, so sharing the pointer is safe.
  nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: tableCount)
    for value in 0..<tableCount { table[value] = compute(UInt32(value)).rawValue }
    return UnsafePointer(table)
  }()

  /// The classes of `scalar`.
  static func of(_ scalar: UInt32) -> CharacterClass {
    scalar < tableCount ? CharacterClass(rawValue: table[Int(scalar)]) : compute(scalar)
  }

  /// `\w` and what `\b` asks for in Oniguruma: without the joiners of UTS 18, and with the numbers
  /// of Latin-1 that are no digits. Source: measured on `tokenizers` 0.23.3.
  static func isOnigurumaWord(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x200C, 0x200D: false
    case 0xB2, 0xB3, 0xB9, 0xBC...0xBE: true
    default: of(scalar).contains(.word)
    }
  }

  private static func compute(_ value: UInt32) -> CharacterClass {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    let properties = scalar.properties
    var classes: CharacterClass = properties.isWhitespace ? .whitespace : []
    var isWord = properties.isAlphabetic || properties.isJoinControl
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      classes.insert(.letter)
    case .decimalNumber:
      classes.insert(.number)
      isWord = true
    case .letterNumber, .otherNumber:
      classes.insert(.number)
    case .connectorPunctuation:
      classes.insert(.punctuation)
      isWord = true
    case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      classes.insert(.punctuation)
    case .nonspacingMark, .spacingMark, .enclosingMark:
      isWord = true
    default: break
    }
    if isWord { classes.insert(.word) }
    switch scalar {
    case "$", "+", "<", "=", ">", "^", "|", "~": classes.insert(.asciiSymbol)
    case "`": classes.insert(.backtick)
    case "0"..."9": classes.insert(.asciiDigit)
    default: break
    }
    return classes
  }
}

/// UTF-8 text seen as characters with classes. Offsets are bytes.
///
/// After a ByteLevel step the text of a tokenizer is one character per byte (see `ByteAlphabet`);
/// `isMapped` gives that view without writing the mapped text out.
struct TextView {
  let base: UnsafePointer<UInt8>
  let isMapped: Bool
  private let table = CharacterClasses.table

  init(_ base: UnsafePointer<UInt8>, isMapped: Bool = false) {
    self.base = base
    self.isMapped = isMapped
  }

  /// The classes of the character that begins at `offset`, and its length in bytes. The text is
  /// valid UTF-8 (it comes from a `String`), and `offset` is at the beginning of a character.
  @inline(__always)
  func character(at offset: Int) -> (classes: CharacterClass, length: Int) {
    let lead = base[offset]
    if isMapped {
      return (CharacterClass(rawValue: table[Int(ByteAlphabet.scalars[Int(lead)])]), 1)
    }
    if lead < 0x80 { return (CharacterClass(rawValue: table[Int(lead)]), 1) }
    let (scalar, length) = UTF8Text.scalar(base, offset)
    return (CharacterClasses.of(scalar), length)
  }

  /// The character that begins at `offset`, and its length in bytes.
  @inline(__always)
  func scalar(at offset: Int) -> (scalar: UInt32, length: Int) {
    if isMapped { return (ByteAlphabet.scalars[Int(base[offset])], 1) }
    return UTF8Text.scalar(base, offset)
  }
}

/// Reading valid UTF-8.
enum UTF8Text {
  /// Bytes of the character that begins with `lead`.
  @inline(__always)
  static func length(lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }

  /// The scalar at `offset` of valid UTF-8, and its length in bytes.
  @inline(__always)
  static func scalar(_ base: UnsafePointer<UInt8>, _ offset: Int) -> (UInt32, Int) {
    let lead = base[offset]
    if lead < 0x80 { return (UInt32(lead), 1) }
    let b1 = UInt32(base[offset + 1] & 0x3F)
    if lead < 0xE0 { return (UInt32(lead & 0x1F) << 6 | b1, 2) }
    let b2 = UInt32(base[offset + 2] & 0x3F)
    if lead < 0xF0 { return (UInt32(lead & 0x0F) << 12 | b1 << 6 | b2, 3) }
    return (UInt32(lead & 0x07) << 18 | b1 << 12 | b2 << 6 | UInt32(base[offset + 3] & 0x3F), 4)
  }
}
