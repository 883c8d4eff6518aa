import Foundation
import TritLab

/// `trit chat`: a conversation with a model.
enum ChatCommand {
  static let count = OptionSpec(
    "-n", "--n-predict", value: "n",
    help: "Tokens of an answer at most; -1 goes on until the context is full", default: "-1")
  static let single = OptionSpec(
    flag: "-st", "--single-turn", help: "End after the first answer")
  static let first = OptionSpec("-p", "--prompt", value: "text", help: "The first message")
  /// What scripts for llama.cpp carry and what is so here anyway.
  static let accepted = [
    OptionSpec(flag: "-cnv", "--conversation", help: "", hidden: true),
    OptionSpec(flag: "--jinja", help: "", hidden: true),
  ]

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "chat", context, overview: "Talk to a model.",
      discussion: """
        Each line is a message; a line that ends with a backslash goes on in the next one. Ctrl-C ends the answer, \
        Ctrl-D the conversation. Lines that begin with a slash are commands: /reset forgets the conversation, \
        /system TEXT says what the model is told beforehand and begins anew, /help and /exit do what they say; \
        // begins a message with a slash.

        Of each prompt only what is new is run. On a pipe, messages are read and answers written, one after the \
        other, each with a newline behind it.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            first, ChatFlags.system, single, count, ChatFlags.stop, ChatFlags.template,
            ChatFlags.name,
          ]
            + accepted),
        ModelOptions.group, SamplingFlags.group, context.stages.group,
      ],
      json: "one object a line for each turn: user, text, tokens, kept_tokens, finish, timings",
      plugins: true,
      examples: [
        ("trit chat -m model.gguf", "a conversation"),
        ("trit chat -m model.gguf -sys 'You answer in one word.' --temp 0", "with instructions"),
        ("trit chat -m model.gguf -p 'What is a trit?' -st", "one question"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    var options = try SamplingFlags.generation(arguments)
    options.maxTokens = try arguments.integer(count, in: -2...Int.max) ?? -1
    options.stops = try ChatFlags.stops(arguments)
    let deciding = try options.chain(lab: arguments.lab).decidingLogits
    let path = try ModelLocation.resolve(try arguments.required(ModelOptions.model))
    // What is wrong with a template is told before gigabytes are read.
    let format = try ChatFlags.format(arguments, model: path)
    let name = arguments.text(ChatFlags.name)
    _ = try ChatTemplate(
      try format.source(named: name).text, name: format.source(named: name).place)
    let engine = try EngineLoader.load(arguments, head: StageOptions.head(deciding: deciding))
    EngineLoader.announce(engine)
    let session = try ChatSession(
      engine: engine, format: format, options: options, system: arguments.text(ChatFlags.system),
      templateName: name)
    try ChatLoop(session, isJSON: arguments.isJSON).run(
      first: arguments.text(first), single: arguments.flag(single))
  }
}

/// The turns of a conversation.
final class ChatLoop {
  private let session: ChatSession
  private let isJSON: Bool
  private let reader = LineReader()

  init(_ session: ChatSession, isJSON: Bool) {
    self.session = session
    self.isJSON = isJSON
  }

  /// Goes on until there is no more input; `single` ends after the first answer.
  func run(first: String?, single: Bool) throws {
    var next = first
    if reader.isTerminal { Terminal.note("/help tells what can be typed; Ctrl-D ends") }
    while true {
      let text: String
      if let given = next {
        text = given
        next = nil
      } else {
        switch try message() {
        case .line(let line): text = line
        case .cancelled: continue
        case .end: return
        }
        guard !text.isEmpty else { continue }
        if text.hasPrefix("/"), !text.hasPrefix("//") {
          guard command(text) else { return }
          continue
        }
      }
      try turn(text.hasPrefix("//") ? String(text.dropFirst()) : text)
      if single { return }
    }
  }

  /// A message of one line, or of several with backslashes at their ends.
  private func message() throws -> LineReader.Input {
    var lines: [String] = []
    while true {
      switch try reader.read(prompt: lines.isEmpty ? "> " : ". ") {
      case .line(let line) where line.hasSuffix("\\"): lines.append(String(line.dropLast()))
      case .line(let line): return .line((lines + [line]).joined(separator: "\n"))
      case .cancelled: return .cancelled
      case .end: return lines.isEmpty ? .end : .line(lines.joined(separator: "\n"))
      }
    }
  }

  /// Runs a line that begins with a slash; false for the end.
  private func command(_ line: String) -> Bool {
    let word = line.prefix { $0 != " " }
    let rest = line.dropFirst(word.count).drop { $0 == " " }
    switch word {
    case "/reset", "/clear":
      session.reset()
      Terminal.note("the conversation is forgotten")
    case "/system":
      session.system = rest.isEmpty ? nil : String(rest)
      session.reset()
      Terminal.note(
        rest.isEmpty ? "the model is told nothing beforehand" : "a new conversation begins")
    case "/exit", "/quit", "/bye": return false
    case "/help":
      Terminal.note(
        """
        /reset         forget the conversation
        /system TEXT   what the model is told beforehand; begins anew
        /exit          end
        \\ at the end    the message goes on in the next line
        Ctrl-C ends an answer, Ctrl-D the conversation
        """)
    default:
      Terminal.note(
        "there is no command '\(word)': /help lists them, // begins a message with a slash")
    }
    return true
  }

  private func turn(_ text: String) throws {
    do {
      let answer = try session.answer(text) { piece in
        if !isJSON { try Terminal.product(piece) }
      }
      try forgetControlC()
      if isJSON {
        try Terminal.line(JSONWriter.text(record(text, answer)))
      } else {
        try Terminal.product("\n")
      }
      if answer.result.finish == .context {
        Terminal.note("the context is full: /reset begins anew, -c makes it larger")
      }
    } catch let error as LabError where error.kind == .interrupted {
      try forgetControlC()
      Terminal.note("interrupted before the answer began: the message is taken back")
    } catch let error as LabError where reader.isTerminal && error.kind == .badData {
      // A person can do something about it and go on.
      Terminal.note(error.description)
    }
  }

  /// Ctrl-C has ended the answer and nothing more. Every other signal ends the program.
  private func forgetControlC() throws {
    if Interruption.isRequested, Interruption.exitCode != LabError.Kind.interrupted.rawValue {
      throw LabError(.interrupted, "interrupted")
    }
    Interruption.reset()
  }

  private func record(_ text: String, _ answer: ChatSession.Answer) -> JSONValue {
    [
      "user": .string(text), "text": .string(answer.text),
      "prompt_tokens": JSONValue(answer.result.prompt.count), "kept_tokens": JSONValue(answer.kept),
      "tokens": JSONValue(answer.result.tokens), "finish": .string(answer.result.finish.rawValue),
      "timings": [
        "prompt_ms": JSONValue(answer.result.promptSeconds * 1e3),
        "predicted_ms": JSONValue(answer.result.generationSeconds * 1e3),
      ],
    ]
  }
}
