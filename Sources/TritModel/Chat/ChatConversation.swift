public import TritCore
public import TritFormats

/// A conversation as a chat template takes it.
public struct ChatConversation: Sendable {
  /// The messages, oldest first: objects with `role`, `content` and what else a template reads.
  public var messages: [JSONValue]
  /// Tools that the model may call; null for none.
  public var tools: JSONValue = .null
  /// Documents to answer from; null for none.
  public var documents: JSONValue = .null
  /// Further variables of the template, such as `enable_thinking`; they win over all others.
  public var variables: [(key: String, value: JSONValue)] = []

  /// A conversation of messages.
  public init(_ messages: [JSONValue]) { self.messages = messages }

  /// A system message, if there is one, and one of the user.
  public init(system: String? = nil, user: String) {
    messages = [Self.message("user", user)]
    if let system { messages.insert(Self.message("system", system), at: 0) }
  }

  /// A message of plain text.
  public static func message(_ role: String, _ content: String) -> JSONValue {
    ["role": .string(role), "content": .string(content)]
  }

  /// A conversation from JSON: a list of messages, or an object with `messages`, and where it has
  /// them `tools`, `documents`, and other members as variables of the template (those of
  /// `chat_template_kwargs` too, as servers take them). Throws `badData` for anything else.
  public init(json: JSONValue, path: String) throws {
    let list: JSONValue
    var rest: [(key: String, value: JSONValue)] = []
    if let members = json.object {
      guard let messages = json["messages"] else {
        throw LabError(
          .badData, "there are no messages", at: path,
          expected: "a list of messages, or an object with 'messages'")
      }
      list = messages
      rest = members.filter { $0.key != "messages" }
    } else {
      list = json
    }
    guard let messages = list.array else {
      throw LabError(
        .badData, "the messages are no list", at: path,
        expected: #"[{"role": "user", "content": "Hello"}]"#)
    }
    for (index, message) in messages.enumerated() {
      guard message.object != nil, message["role"]?.string != nil else {
        throw LabError(
          .badData, "a message is no object with a role", at: "\(path): message \(index + 1)",
          expected: #"{"role": "user", "content": "Hello"}"#)
      }
    }
    self.messages = messages
    for (key, value) in rest {
      switch key {
      case "tools": tools = value
      case "documents": documents = value
      case "chat_template_kwargs": variables += value.object ?? []
      default: variables.append((key, value))
      }
    }
  }
}
