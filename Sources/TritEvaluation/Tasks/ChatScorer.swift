public import TritModel

/// Asks tasks as messages to a chat model, as the harness does with `--apply_chat_template`: the
/// context is the message of a user in the model's template, and the continuation, without the
/// space before it, is what the assistant says.
public struct ChatScorer<Inner: RequestScorer>: RequestScorer {
  /// What scores the prompts.
  public private(set) var inner: Inner
  private let format: ChatFormat
  private let system: String?
  private let name: String?

  /// Asks `inner` in the form of `format`; `system` is what the model is told beforehand, `name`
  /// one of several templates.
  public init(
    _ inner: Inner, _ format: ChatFormat, system: String? = nil, named name: String? = nil
  ) {
    self.inner = inner
    self.format = format
    self.system = system
    self.name = name
  }

  /// How likely each continuation is as an answer.
  public mutating func answers(to requests: [TaskRequest]) throws -> [TaskAnswer] {
    var last: (context: String, prompt: String)?
    var asked: [TaskRequest] = []
    for request in requests {
      if last?.context != request.context {
        let conversation = ChatConversation(system: system, user: request.context)
        last = (request.context, try format.prompt(conversation, named: name))
      }
      let hasSpace = request.continuation.utf8.first == UInt8(ascii: " ")
      asked.append(
        TaskRequest(
          context: last?.prompt ?? "",
          continuation: hasSpace
            ? String(request.continuation.unicodeScalars.dropFirst()) : request.continuation))
    }
    return try inner.answers(to: asked)
  }

  /// Whole texts are no conversations: ln p as without a template.
  public mutating func logLikelihood(of text: String) throws -> Double {
    try inner.logLikelihood(of: text)
  }
}

extension HarnessEvaluation {
  /// Asks a chat model in the form of its template.
  public static func measure(
    _ model: any LanguageModel, _ selection: HarnessSelection, _ questions: [HarnessQuestions],
    _ options: HarnessOptions = HarnessOptions(), chat format: ChatFormat, system: String? = nil,
    named name: String? = nil, progress: ProgressReporter? = nil
  ) throws -> HarnessResults {
    var scorer = ChatScorer(ModelScorer(model), format, system: system, named: name)
    var results = try measure(&scorer, selection, questions, options, progress: progress)
    results.tokensRun = scorer.inner.tokensRun
    results.truncated = scorer.inner.truncated
    return results
  }
}
