/// A set of Unicode scalars, as the character classes of regular expressions describe them.
///
/// Membership of the scalars below `tableCount` is a bit each, worked out once; beyond, the
/// description is asked.
struct ScalarSet: Sendable {
  /// How a set is described.
  indirect enum Content: Sendable, Equatable {
    /// Scalars in any of these ranges.
    case ranges([ClosedRange<UInt32>])
    /// General categories, one bit each in the order of `GeneralCategories.names`.
    case categories(UInt32)
    /// The property White_Space: `\s`.
    case whitespace
    /// `\w`, as Oniguruma has it.
    case word
    /// The script Han.
    case han
    /// What the set lacks.
    case complement(Content)
    case union([Content])
    case intersection([Content])

    func contains(_ scalar: UInt32) -> Bool {
      switch self {
      case .ranges(let ranges): ranges.contains { $0.contains(scalar) }
      case .categories(let mask): mask & 1 << GeneralCategories.index(scalar) != 0
      case .whitespace: CharacterClasses.of(scalar).contains(.whitespace)
      case .word: CharacterClasses.isOnigurumaWord(scalar)
      case .han: HanScript.contains(scalar)
      case .complement(let inner): !inner.contains(scalar)
      case .union(let parts): parts.contains { $0.contains(scalar) }
      case .intersection(let parts): parts.allSatisfy { $0.contains(scalar) }
      }
    }
  }

  /// Scalars below this have a bit: the basic and supplementary multilingual planes.
  static let tableCount = 0x20000
  let content: Content
  private let bits: [UInt64]

  init(_ content: Content) {
    self.content = content
    var bits = [UInt64](repeating: 0, count: Self.tableCount / 64)
    for scalar in 0..<Self.tableCount where content.contains(UInt32(scalar)) {
      bits[scalar / 64] |= 1 << UInt64(scalar % 64)
    }
    self.bits = bits
  }

  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < Self.tableCount else { return content.contains(scalar) }
    return bits[Int(scalar) / 64] & 1 << UInt64(scalar % 64) != 0
  }
}

/// The general categories of Unicode by their short names.
enum GeneralCategories {
  /// The order of the bits of `ScalarSet.Content.categories`.
  static let names = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
  ]

  /// The bits of a category (`Lu`) or of a group of them (`L`); nil for another name.
  static func mask(_ name: String) -> UInt32? {
    let matching = names.indices.filter {
      names[$0] == name || (name.count == 1 && names[$0].hasPrefix(name))
    }
    guard !matching.isEmpty else { return nil }
    return matching.reduce(0) { $0 | 1 << UInt32($1) }
  }

  // Filled once at first use and never written again, so sharing the pointer is safe.
  private nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: ScalarSet.tableCount)
    for value in 0..<ScalarSet.tableCount { table[value] = compute(UInt32(value)) }
    return UnsafePointer(table)
  }()

  /// The index in `names` of the category of `scalar`.
  static func index(_ scalar: UInt32) -> UInt32 {
    UInt32(scalar < ScalarSet.tableCount ? table[Int(scalar)] : compute(scalar))
  }

  private static func compute(_ value: UInt32) -> UInt8 {
    guard let scalar = Unicode.Scalar(value) else { return 27 }
    return switch scalar.properties.generalCategory {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    case .surrogate: 27
    case .privateUse: 28
    case .unassigned: 29
    @unknown default: 29
    }
  }
}

/// The script Han, which the standard library does not tell.
/// Source: Unicode 15.0, `Scripts.txt`.
enum HanScript {
  static let ranges: [ClosedRange<UInt32>] = [
    0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007,
    0x3021...0x3029, 0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D,
    0xFA70...0xFAD9, 0x16FE2...0x16FE3, 0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739,
    0x2B740...0x2B81D, 0x2B820...0x2CEA1, 0x2CEB0...0x2EBE0, 0x2F800...0x2FA1D, 0x30000...0x3134A,
    0x31350...0x323AF,
  ]

  static func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}
