import TritCore
import TritModel
import TritTokenization

/// Where the tokens of a context end and those of a choice begin, where both are tokenized
/// together.
///
/// The two differ only where a token spans the border: "The" and "m" may be one token "Them", which
/// is neither the context's nor the choice's.
public enum TaskSplit: String, Sendable, Hashable, CaseIterable {
  /// The context is what the tokens of every context-with-choice have in common with the context's
  /// alone; all that follows is scored. So a spanning token is scored whole, for every choice after
  /// the same context, and the sum is the log-probability of the choice, given the text before the
  /// spanning token, as tokens say it.
  case common
  /// lm-evaluation-harness 0.4.13 (`_encode_pair`): white space at the end of the context is moved
  /// to the choice; the model reads the tokens of the context alone, then those of
  /// context-with-choice from that *number* of tokens on. Where a token spans the border, the text
  /// that the model reads is not the question's: the spanning token is not scored, and the letters
  /// that it holds of the choice are lost. For comparison with published figures.
  case lmEval = "lm-eval"

  /// Names as in files and flags, with a line about each.
  public static let descriptions: [(name: String, summary: String)] = [
    ("common", "a token that spans context and choice is scored with the choice"),
    ("lm-eval", "as lm-evaluation-harness cuts: at the number of the context's tokens"),
  ]

  /// The tokens of a question: those of the context, and of each choice what comes after them.
  func tokens(
    _ task: MultipleChoiceTask, _ tokenizer: any Tokenizer
  ) throws -> (context: [Int], choices: [[Int]]) {
    func encode(_ text: String) throws -> [Int] {
      try tokenizer.encode(text, addSpecial: true, parseSpecial: false)
    }
    let whole = try task.choices.map { try encode(task.context + $0) }
    switch self {
    case .common:
      let alone = try encode(task.context)
      // A merge over the border would leave the choices different contexts: the shortest is common.
      let shared = whole.map { TaskEvaluation.commonPrefix($0, alone) }.min() ?? 0
      return (Array(alone.prefix(shared)), whole.map { Array($0.dropFirst(shared)) })
    case .lmEval:
      let alone = try encode(PythonText.strippedBehind(task.context))
      return (alone, whole.map { Array($0.dropFirst(alone.count)) })
    }
  }

  /// The context of each choice, cut at its beginning to what fits `model`: the last token of a
  /// choice is predicted, not run. The harness keeps the last tokens for each choice by itself, be
  /// the first of them BOS or not; here BOS stays, and all choices share one context.
  func contexts(_ context: [Int], _ choices: [[Int]], in model: any LanguageModel) -> [[Int]] {
    switch self {
    case .common:
      let room = model.contextLength - (choices.map(\.count).max() ?? 0) + 1
      guard context.count > room else { return choices.map { _ in context } }
      let bos = context.first == model.tokenizer.bos && model.tokenizer.addsBOS && room > 1
      let kept = (bos ? [context[0]] : []) + context.suffix(room - (bos ? 1 : 0))
      return choices.map { _ in kept }
    case .lmEval:
      return choices.map { Array(context.suffix(model.contextLength - $0.count + 1)) }
    }
  }
}
