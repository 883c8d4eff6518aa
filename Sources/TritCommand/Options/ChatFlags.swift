import TritLab

/// The options that say how a model is talked to.
enum ChatFlags {
  static let template = OptionSpec(
    "--chat-template-file", "--template", value: "file",
    help: "Chat template in place of the model's: a .jinja file",
    completion: Completion(files: .ending([".jinja"])))
  static let name = OptionSpec(
    "--template-name", value: "name", help: "Which of the model's templates",
    default: "default, with tools tool_use")
  static let system = OptionSpec(
    "-sys", "--system-prompt", value: "text", help: "What the model is told beforehand")
  static let stop = OptionSpec(
    "-r", "--reverse-prompt", "--stop", value: "text",
    help: "End where this text appears, and leave it out; may be repeated")

  /// The format of the model at `path`, or of `--template`; what there is to say of it goes to
  /// standard error.
  static func format(_ arguments: ParsedArguments, model path: String?) throws -> ChatFormat {
    let format: ChatFormat
    if let file = arguments.text(template) {
      format = try ChatFormat(
        template: try TextInput.contents(of: file), place: file, model: path)
    } else {
      guard let path else { throw ParserError.missingOption([ModelOptions.model, template]) }
      format = try ChatFormat(path: path)
    }
    for note in format.notes { Terminal.note(note) }
    return format
  }

  /// The texts of `--stop`.
  static func stops(_ arguments: ParsedArguments) throws -> [String] {
    let texts = arguments.all(stop)
    if texts.contains("") {
      throw ParserError.invalidValue(stop, value: "", expected: "a text of at least one character")
    }
    return texts
  }
}
