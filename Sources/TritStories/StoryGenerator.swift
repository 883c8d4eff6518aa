import TritCore

/// Generates short English stories for small language models: a probabilistic grammar with state.
///
/// In the spirit of TinyStories (Eldan, Li, arXiv:2305.07759), with words, templates and plots of
/// our own. Characters own things, things change hands and are counted, feelings follow from
/// events, and what is promised at the start is kept at the end, so that predicting the text needs
/// memory. The stories are a function of the seed, and every random choice has a known
/// probability, so the entropy of the source is known too (`StoryEntropy`).
public struct StoryGenerator: Sendable {
  /// The seed of the stream.
  public let seed: UInt64
  /// The number of the next story in the stream. Any story can be made without those before it.
  public var position: UInt64
  /// Whether stories list every random choice (`Story.choices`).
  public let recordsChoices: Bool
  private let base: UInt64

  /// A stream of stories that is a function of `seed`, beginning with story number `position`.
  public init(seed: UInt64, position: UInt64 = 0, recordsChoices: Bool = false) {
    self.seed = seed
    self.position = position
    self.recordsChoices = recordsChoices
    var random = SeededRandom(seed: seed)
    base = random.next()
  }

  /// The next story.
  public mutating func next() -> Story {
    // An odd factor: different positions have different seeds.
    let storySeed = base &+ position &* 0xD134_2543_DE82_EF95
    position &+= 1
    var narrator = Narrator(seed: storySeed, recordsChoices: recordsChoices)
    let plot = Self.tell(&narrator)
    return Story(
      text: String(decoding: narrator.text, as: UTF8.self),
      logProbability: narrator.logProbability, pathEntropy: narrator.pathEntropy, plot: plot,
      choices: narrator.choices, marks: narrator.marks)
  }

  /// Tells one story and returns the name of its plot.
  @discardableResult static func tell(_ narrator: inout Narrator) -> String {
    let plot = Plots.all[narrator.choose(Plots.table)]
    plot.tell(&narrator)
    return plot.name
  }

  /// The names of the plots.
  public static var plotNames: [String] { Plots.all.map(\.name) }
}
