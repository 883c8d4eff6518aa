import TritCore
public import TritModel

/// A turn of a prompt, as lm-evaluation-harness builds prompts of them (`Message` of
/// `api/utils.py`).
struct PromptTurn {
  /// Who speaks in a chat.
  enum Role: String { case user, assistant }

  var role: Role
  var text: String
  /// What stands behind it where the prompt is plain text.
  var delimiter = ""
}

/// The form in which a task asks.
public enum TaskPrompt: Sendable {
  /// Plain text.
  case plain
  /// Messages in a model's chat template, as the harness does with `--apply_chat_template`.
  case chat(ChatPrompt)

  /// What stands before a continuation: description, examples and question.
  func context(_ description: String, _ turns: [PromptTurn]) throws -> String {
    switch self {
    case .plain: description + turns.map { $0.text + $0.delimiter }.joined()
    case .chat(let chat): try chat.context(description, turns)
    }
  }

  /// What stands between a question and a choice.
  var choiceDelimiter: String {
    if case .plain = self { HarnessTask.targetDelimiter } else { "" }
  }
}

/// How messages become a prompt: `ConfigurableTask.fewshot_context` and `HFLM.apply_chat_template`
/// of the harness (0.4.13).
///
/// A task's description is what the system says, after the system instruction where there is one.
/// Examples are turns of the conversation, or where `isMultiturn` is false stand in the user's one
/// message. Choices have no space in front then; a target (LAMBADA) keeps its own. A template that
/// refuses a system message is asked without.
public struct ChatPrompt: Sendable {
  private let format: ChatFormat
  private let system: String?
  private let name: String?
  private let isMultiturn: Bool

  /// Prompts in the form of `format`; `system` is what the model is told beforehand, `name` one of
  /// several templates.
  public init(
    _ format: ChatFormat, system: String? = nil, named name: String? = nil,
    isMultiturn: Bool = true
  ) {
    self.format = format
    self.system = system
    self.name = name
    self.isMultiturn = isMultiturn
  }

  /// Whether the template takes what the system says, for a task with this description. Throws what
  /// the template throws without it.
  public func takesSystem(description: String) throws -> Bool {
    let system = system(description)
    let user = ChatConversation.message("user", "a")
    guard !system.isEmpty else {
      _ = try format.prompt(ChatConversation([user]), named: name)
      return true
    }
    do {
      _ = try format.prompt(
        ChatConversation([ChatConversation.message("system", system), user]), named: name)
      return true
    } catch let error as LabError where error.kind != .interrupted {
      _ = try format.prompt(ChatConversation([user]), named: name)
      return false
    }
  }

  func context(_ description: String, _ turns: [PromptTurn]) throws -> String {
    var messages: [JSONMessage] = turns.map { ($0.role.rawValue, $0.text) }
    if !isMultiturn {
      let last = turns.count - 1
      let text = turns.enumerated().map { $1.text + ($0 == last ? "" : $1.delimiter) }.joined()
      messages = [("user", text)]
    }
    let system = system(description)
    guard !system.isEmpty else { return try prompt(messages) }
    do {
      return try prompt([("system", system)] + messages)
    } catch let error as LabError where error.kind != .interrupted {
      return try prompt(messages)
    }
  }

  private typealias JSONMessage = (role: String, text: String)

  private func prompt(_ messages: [JSONMessage]) throws -> String {
    try format.prompt(
      ChatConversation(messages.map { ChatConversation.message($0.role, $0.text) }), named: name)
  }

  /// The system instruction and the description, an empty line between them where neither has white
  /// space there (`maybe_delimit`).
  private func system(_ description: String) -> String {
    guard let system, let last = system.unicodeScalars.last else { return description }
    guard let first = description.unicodeScalars.first else { return system }
    let hasSpace = PythonText.isSpace(last) || PythonText.isSpace(first)
    return system + (hasSpace ? "" : HarnessTask.exampleDelimiter) + description
  }
}
