import TritCore
public import TritFormats

/// A chat template: how a conversation becomes the prompt that a model was trained with.
///
/// Templates are written in Jinja and come with the model. What is rendered is what Hugging Face's
/// `apply_chat_template` renders, byte for byte: Jinja 3.1 with `trim_blocks` and `lstrip_blocks`,
/// the immutable sandbox, `raise_exception`, `strftime_now`, `tojson` without HTML escapes, `break`
/// and `continue`, `{% generation %}`. What is not here is an error with line and column, never
/// another prompt. No template can read files, and none can take more than its `TemplateLimits`.
public struct ChatTemplate: Sendable {
  /// What messages call it: the file it comes from.
  public let name: String
  /// The text as it was given.
  public let source: String
  private let text: Scalars
  private let body: [TemplateStatement]

  /// Reads a template. Throws `badData` with `name:line:column` for what is no template.
  public init(_ source: String, name: String = "<template>") throws {
    self.name = name
    self.source = source
    text = TemplateLexer.normalized(Scalars(source))
    do {
      var lexer = TemplateLexer(text)
      body = try TemplateParser.parse(try lexer.run())
    } catch let fault as TemplateFault {
      throw fault.error(name: name, source: text)
    }
  }

  /// The text of the template with the values of `variables`, in the order of which the last of a
  /// name wins.
  ///
  /// Throws `badData` with `name:line:column`; `LabError.code` tells the kind: `template.` and
  /// `raise_exception` (its own message is `got`), `undefined`, `sandbox`, `limit`, `unsupported`,
  /// or the name of Python's error.
  public func render(
    _ variables: [(key: String, value: JSONValue)], clock: TemplateClock = .now,
    limits: TemplateLimits = TemplateLimits()
  ) throws -> String {
    let machine = TemplateMachine(limits: limits, clock: clock)
    do {
      let context = try variables.map {
        (key: $0.key, value: try machine.value($0.value, at: $0.key))
      }
      return try machine.render(body, context: context).string
    } catch var fault as TemplateFault {
      fault.offset = fault.offset ?? machine.place
      throw fault.error(name: name, source: text)
    }
  }
}
