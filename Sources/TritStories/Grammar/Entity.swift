/// Something a template can speak of: a person, a thing, a place, a number or a plain word.
struct Entity: Hashable, Sendable {
  /// The name, noun, number word or word.
  var word = ""
  /// The plural of a noun.
  var plural = ""
  /// An adjective that belongs to a thing for the whole story; may be empty.
  var adjective = ""
  /// What a character is (`girl`, `rabbit`), or the preposition of a place (`in`, `under`).
  var kind = ""
  /// True where `he` stands for a character, false for `she`.
  var isMale = false
  /// The value of a number.
  var value = 0
  /// Where derivations are summed: the slot that this stands for.
  var slot: Slot?

  /// The names of the numbers 0 to 20.
  static let numberWords = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
  ]

  /// A number from 0 to 20.
  static func number(_ value: Int) -> Entity {
    Entity(word: numberWords[min(max(value, 0), 20)], value: value)
  }

  /// A plain word.
  static func word(_ word: String) -> Entity { Entity(word: word) }

  /// A noun from its listing: `ball`, or `leaf/leaves` where the plural is irregular.
  static func noun(_ listing: String) -> Entity {
    let parts = listing.split(separator: "/")
    let word = String(parts.first ?? "")
    return Entity(word: word, plural: parts.count > 1 ? String(parts[1]) : regularPlural(word))
  }

  /// A place from its listing: `in garden`, `at beach`.
  static func place(_ listing: String) -> Entity {
    let parts = listing.split(separator: " ", maxSplits: 1)
    return Entity(word: String(parts.last ?? ""), kind: String(parts.first ?? ""))
  }

  /// The regular plural of an English noun.
  static func regularPlural(_ noun: String) -> String {
    let vowels: Set<Character> = ["a", "e", "i", "o", "u"]
    if noun.hasSuffix("y"), let before = noun.dropLast().last, !vowels.contains(before) {
      return noun.dropLast() + "ies"
    }
    let hisses = ["s", "x", "z", "ch", "sh"].contains { noun.hasSuffix($0) }
    return noun + (hisses ? "es" : "s")
  }
}

/// The places in a story's state that templates name: `{A}` is the hero, `{X}` the thing it is
/// about.
enum Slot: UInt8, CaseIterable, Sendable {
  /// Characters.
  case a, b, c, d
  /// Things.
  case x, y, z, u
  /// Places.
  case p, q, r, s
  /// Numbers.
  case n, m, k, j
  /// Feelings and other words that must be said again.
  case f, g, h, v, w, t

  private static let names: [String: Slot] = Dictionary(
    uniqueKeysWithValues: allCases.map { ("\($0)".uppercased(), $0) })

  /// The slot that a template calls `name`.
  init?(named name: some StringProtocol) {
    guard let slot = Slot.names[String(name)] else { return nil }
    self = slot
  }
}

/// The form in which a template wants an entity.
enum Field: String, Sendable {
  /// The word itself.
  case plain = ""
  /// he, she.
  case he
  /// him, her.
  case him
  /// his, her.
  case his
  /// himself, herself.
  case himself
  /// What a character is: girl, rabbit.
  case kind
  /// The noun with its adjective: red ball.
  case full
  /// The plural: balls.
  case many
  /// the garden.
  case the
  /// in the garden.
  case at
  /// to the garden.
  case to

  /// Writes `entity` in this form.
  func render(_ entity: Entity) -> String {
    switch self {
    case .plain: entity.word
    case .he: entity.isMale ? "he" : "she"
    case .him: entity.isMale ? "him" : "her"
    case .his: entity.isMale ? "his" : "her"
    case .himself: entity.isMale ? "himself" : "herself"
    case .kind: entity.kind
    case .full: entity.adjective.isEmpty ? entity.word : entity.adjective + " " + entity.word
    case .many: entity.plural
    case .the: "the " + entity.word
    case .at: entity.kind + " the " + entity.word
    case .to: "to the " + entity.word
    }
  }
}
