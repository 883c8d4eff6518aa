import TritCore

/// What is wrong with a template or a rendering, before its place is known in line and column.
struct TemplateFault: Error {
  /// The kinds, by the names that Jinja and Python have for them.
  enum Kind: String {
    /// The template is no template.
    case syntax = "syntax"
    /// The template called `raise_exception`.
    case raised = "raise_exception"
    /// Something was asked of a value that is not there.
    case undefined = "undefined"
    /// The sandbox forbids it.
    case sandbox = "sandbox"
    case type = "TypeError"
    case value = "ValueError"
    case division = "ZeroDivisionError"
    case overflow = "OverflowError"
    case attribute = "AttributeError"
    case key = "KeyError"
    case index = "IndexError"
    case runtime = "TemplateRuntimeError"
    case argument = "FilterArgumentError"
    /// More work, text or nesting than any template needs.
    case limit = "limit"
    /// Part of Jinja or Python that is not here.
    case unsupported = "unsupported"
  }

  let kind: Kind
  let message: String
  /// Where in the template text, in code points.
  var offset: Int?

  init(_ kind: Kind, _ message: String, at offset: Int? = nil) {
    self.kind = kind
    self.message = message
    self.offset = offset
  }

  /// The error for people: `name:line:column`.
  func error(name: String, source: Scalars) -> LabError {
    var line = 1
    var column = 1
    for scalar in source.prefix(offset ?? 0) {
      if scalar == "\n" {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    let place = "\(name):\(line):\(column)"
    let code = LabError.Code(rawValue: "template.\(kind.rawValue)")
    return switch kind {
    case .raised:
      LabError(
        .badData, "the template refuses the conversation", at: place, got: message,
        advice: "change the messages as it asks, or give another template", code: code)
    case .syntax:
      LabError(
        .badData, "the template cannot be read: \(message)", at: place,
        advice: "mend the template, or give another one with --template", code: code)
    case .limit:
      LabError(.badData, "the template takes too much: \(message)", at: place, code: code)
    case .unsupported:
      LabError(
        .badData, "\(message) is not supported", at: place,
        expected: "what README of TritTemplates lists",
        advice: "write the template without it, and give it with --template", code: code)
    default:
      LabError(
        .badData, "the template fails: \(message)", at: place, got: kind.rawValue,
        advice: "compare the messages with what the template reads", code: code)
    }
  }
}
