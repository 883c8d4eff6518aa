/// A class of words that templates draw from: `<color>`. The first words are the commonest.
struct WordClass: Sendable {
  let words: [String]
  let table: WeightTable
  /// The class's place among `Lexicon.classes`.
  var number = 0

  init(_ listing: String) {
    words = listing.split(whereSeparator: { $0 == "," || $0 == "\n" })
      .map { $0.trimmingPrefix(while: { $0 == " " }) }.map(String.init).filter { !$0.isEmpty }
    table = .falling(words.count)
  }

  /// The class that templates call `name`.
  static func named(_ name: String) -> WordClass? { Lexicon.classes[name] }
}

/// Nouns or places of one kind, with adjectives that suit all of them.
struct NounGroup: Sendable {
  let nouns: [Entity]
  let table: WeightTable
  let adjectives: WordClass

  init(_ listing: String, adjectives: String = "") {
    nouns = WordClass(listing).words.map(Entity.noun)
    table = .falling(nouns.count)
    self.adjectives = WordClass(adjectives)
  }

  init(places listing: String) {
    nouns = WordClass(listing).words.map(Entity.place)
    table = .falling(nouns.count)
    adjectives = WordClass("")
  }
}

/// The words of the stories. Lists that the state draws from are in `Lexicon+Nouns` and
/// `Lexicon+Names`, classes of plain words in `Lexicon+Words`.
enum Lexicon {}
