import TritCore

/// A question about a story with one exact answer, in multiple-choice form: which of `choices`
/// continues `context`?
///
/// The answer follows from the story's state; every other choice contradicts it. A model is scored
/// by the log-probability that it gives to each choice after the context, so the task stays in the
/// distribution that it was trained on.
public struct StoryTask: Sendable, Equatable {
  /// What must be remembered to answer.
  public enum Kind: String, CaseIterable, Sendable {
    /// Who has, found or did it: one of the characters.
    case who
    /// he or she, him or her, his or her: 2 choices.
    case pronoun
    /// How many are left or there in all: 4 choices.
    case count
    /// What happened first, or next.
    case order
    /// Where it was hidden or seen before.
    case place
    /// What was wanted, promised or brought.
    case object
    /// How somebody feels after what happened.
    case feeling
  }

  /// What must be remembered.
  public let kind: Kind
  /// The story up to the answer, without the space before it.
  public let context: String
  /// The possible continuations, each with its leading space.
  public let choices: [String]
  /// Index of the right choice.
  public let answer: Int
  /// The accuracy of guessing: one over the number of choices.
  public var chance: Double { 1 / Double(choices.count) }

  init(_ story: Story, _ mark: StoryMark, _ index: Int) {
    kind = mark.kind
    var bytes = Array(story.text.utf8.prefix(mark.offset))
    let lead = bytes.last == 0x20 ? " " : ""
    if !lead.isEmpty { bytes.removeLast() }
    context = String(decoding: bytes, as: UTF8.self)
    // The order of the choices is a function of the story alone and takes nothing from its
    // randomness.
    var random = SeededRandom(
      seed: story.logProbability.bitPattern &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
    let words = ([mark.answer] + mark.others).shuffled(using: &random)
    choices = words.map { lead + $0 }
    answer = words.firstIndex(of: mark.answer) ?? 0
  }
}
