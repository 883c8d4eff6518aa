/// A story and what is known exactly about it.
public struct Story: Sendable, Equatable {
  /// The text: ASCII, 2–5 paragraphs, each on one line, without a line break at the end.
  public let text: String
  /// The exact sum of ln p of every random choice that made the story, in nats (negative).
  ///
  /// It is the probability of this *derivation*: the text is likelier, since others give it too
  /// (`StoryProbability`).
  public let logProbability: Double
  /// The sum, in nats, of the entropies of the choices on the way: an estimate of the same
  /// expectation as `−logProbability` with less variance.
  public let pathEntropy: Double
  /// The name of the plot.
  public let plot: String
  /// Every random choice in order, where the generator was asked to record them; else empty.
  public let choices: [StoryChoice]
  /// Where the text answers a question about itself.
  let marks: [StoryMark]

  /// ln of the probability of the text, over all its derivations, in nats; some ten milliseconds
  /// the first time.
  public var textLogProbability: Double { StoryProbability.logProbability(of: text) }

  /// UTF-8 bytes of the text.
  public var byteCount: Int { text.utf8.count }

  /// The multiple-choice tasks that this story poses, in the order of the text.
  public var tasks: [StoryTask] {
    marks.enumerated().map { StoryTask(self, $0.element, $0.offset) }
  }
}

/// One random choice of a story.
public struct StoryChoice: Sendable, Equatable {
  /// The option that was taken.
  public let option: Int
  /// How many options there were.
  public let optionCount: Int
  /// The exact probability of that option.
  public let probability: Double
}

/// A place in a story where the word that follows is determined by what was told before.
struct StoryMark: Sendable, Equatable {
  let kind: StoryTask.Kind
  /// Bytes of text before the answer.
  let offset: Int
  let answer: String
  let others: [String]
}
