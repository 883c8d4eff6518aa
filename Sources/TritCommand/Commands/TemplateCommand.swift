import TritLab

/// `trit template`: the prompt of a conversation.
enum TemplateCommand {
  static let file = OptionSpec(
    "-f", "--file", value: "file",
    help:
      "The conversation: JSON, a list of messages or an object with messages, tools and variables; "
      + "- is standard input")
  static let noPrompt = OptionSpec(
    flag: "--no-generation-prompt", help: "End behind the last message: ask for no answer")
  static let now = OptionSpec(
    "--now", value: "time", help: "What templates take for the time, as 2026-01-05T09:03:07",
    default: "the clock")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "template", context, overview: "Show the prompt that a chat template makes of messages.",
      discussion: """
        Prints the prompt and nothing else, not even a newline at the end: what Hugging Face's apply_chat_template \
        gives. Templates come from the model (chat_template.jinja, tokenizer_config.json, tokenizer.chat_template of \
        GGUF files) or a file. An error names line and column of the template. On a terminal, control characters in \
        the prompt are written out, as \\u{1b}; a file or a pipe gets the text as it is.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [ModelOptions.model, ChatFlags.template, ChatFlags.name, file, noPrompt, now])
      ],
      json: "one object: prompt, template, name",
      examples: [
        ("trit template -m model.gguf -f messages.json", "the prompt of a conversation"),
        (
          "trit template --template chat.jinja -f messages.json --now 2026-01-05",
          "a template of your own, on a day of your own"
        ),
        (
          "trit template -m hf:ORG/NAME -f messages.json --no-generation-prompt",
          "the text of a conversation that is over"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let clock = try clock(arguments)
    let path = try arguments.text(ModelOptions.model).map(TokenizeCommand.locate)
    let source = try arguments.required(file)
    let text = try TextInput.contents(of: source)
    let place = source == "-" ? "standard input" : source
    let conversation = try ChatConversation(
      json: try JSONReader.read(text, path: place), path: place)
    let format = try ChatFlags.format(arguments, model: path)
    let name = arguments.text(ChatFlags.name)
    let prompt = try format.prompt(
      conversation, named: name, asksForAnswer: !arguments.flag(noPrompt), clock: clock)
    guard arguments.isJSON else { return try Terminal.product(prompt) }
    let used = try format.source(
      named: name, hasTools: conversation.tools.array?.isEmpty == false)
    try Terminal.json([
      "prompt": .string(prompt), "template": .string(used.place), "name": .string(used.name),
    ])
  }

  private static func clock(_ arguments: ParsedArguments) throws -> TemplateClock {
    guard let text = arguments.text(now) else { return .now }
    guard let clock = TemplateClock(text) else {
      throw ParserError.invalidValue(
        now, value: text, expected: "a day or a time, as 2026-01-05 or 2026-01-05T09:03:07")
    }
    return clock
  }
}
