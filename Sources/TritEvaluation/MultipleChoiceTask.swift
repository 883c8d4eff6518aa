public import TritStories

/// A question with one right answer among several: which of `choices` continues `context`?
public struct MultipleChoiceTask: Sendable, Hashable {
  /// What the question asks for: `who`, `count`…; accuracy is told for each kind.
  public let kind: String
  /// The text before the answer. Not empty.
  public let context: String
  /// The continuations, each with the space in front of it, if any; two or more.
  public let choices: [String]
  /// Index of the right one.
  public let answer: Int

  /// A question. `answer` is an index of `choices`.
  public init(kind: String, context: String, choices: [String], answer: Int) {
    precondition(choices.indices.contains(answer), "the answer is one of the choices")
    self.kind = kind
    self.context = context
    self.choices = choices
    self.answer = answer
  }

  /// A question of the built-in stories.
  public init(_ task: StoryTask) {
    self.init(
      kind: task.kind.rawValue, context: task.context, choices: task.choices, answer: task.answer)
  }

  /// The accuracy of guessing: one over the number of choices.
  public var chance: Double { 1 / Double(choices.count) }
}
