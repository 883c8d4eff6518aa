import Foundation
import TritLab

/// `trit generate`: a text continued.
enum GenerateCommand {
  static let count = OptionSpec(
    "-n", "--n-predict", value: "n", help: "Tokens at most; -1 goes on until the context is full",
    default: "128")
  static let ignoreEnd = OptionSpec(flag: "--ignore-eos", help: "Go on after an end token")
  static let special = OptionSpec(
    flag: "--parse-special", help: "Read text such as <|eot_id|> in the prompt as control tokens",
    negatable: true)
  static let showPrompt = OptionSpec(
    flag: "--display-prompt", help: "Print the prompt in front of its continuation",
    negatable: true)
  static let chat = OptionSpec(
    flag: "--chat", help: "Read the text as a message of a user, put into the model's chat template"
  )
  static let times = OptionSpec(flag: "--times", help: "Say how long each stage took")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "generate", context, overview: "Continue a text.",
      discussion: """
        Text goes to standard output as it grows; which kernels run, and the timings, to standard \
        error. The same seed gives the same text, whatever the number of threads. On a terminal, control \
        characters in the text are written out, as \\u{1b}; a file or a pipe gets the text as it is.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            TextInput.prompt, TextInput.file, TextInput.escape, count, ignoreEnd, ChatFlags.stop,
            TokenizeCommand.bos, special, showPrompt, times,
          ]),
        OptionGroup(
          "CHAT OPTIONS", [chat, ChatFlags.system, ChatFlags.template, ChatFlags.name]),
        ModelOptions.group, SamplingFlags.group, context.stages.group,
      ],
      json: "one object at the end: text, tokens, finish, timings", plugins: true,
      examples: [
        ("trit generate -m model.gguf -p 'Once upon a time' -n 80", "a story of 80 tokens"),
        (
          "trit generate -m model.gguf --chat -p 'What is a trit?' -n 200",
          "an answer, by the model's chat template ('trit chat' goes on from there)"
        ),
        (
          "trit generate -m model.gguf -p 'Once upon a time' --temp 0 --kernel tl2",
          "the likeliest tokens, by another kernel"
        ),
        (
          "trit generate -m model.gguf -p 'Once' --samplers 'top-k:k=5;temperature:value=0.7'",
          "a sampling chain of your own"
        ),
        (
          "trit generate -m checkpoint/ -p 'Once' --quantizer absmean:group=64 --seed 7 --json",
          "quantized at load, as a record"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let isJSON = arguments.isJSON
    let text = try TextInput.text(arguments)
    var options = try SamplingFlags.generation(arguments)
    options.maxTokens = try arguments.integer(count, in: -2...Int.max) ?? options.maxTokens
    options.ignoresEnd = arguments.flag(ignoreEnd)
    options.stops = try ChatFlags.stops(arguments)
    options.addsSpecial = arguments.flag(TokenizeCommand.bos, default: true)
    let prompt = try chatPrompt(text, arguments)
    let start = Date()
    let deciding = try options.chain(lab: arguments.lab).decidingLogits
    let engine = try EngineLoader.load(
      arguments, head: StageOptions.head(deciding: deciding))
    let loadSeconds = Date().timeIntervalSince(start)
    EngineLoader.announce(engine)
    let isPlain = prompt == nil
    if isPlain { try noteDoubledBOS(text, options, engine, arguments) }
    // The prompt is shown once it has been run, so that nothing is printed for one that cannot be;
    // that of a chat only where it is asked for.
    var shown = isJSON || !arguments.flag(showPrompt, default: isPlain) ? "" : prompt ?? text
    engine.resetTimes()
    let generation = Date()
    func show(_ piece: String) throws {
      if !isJSON { try Terminal.product(shown + piece) }
      shown = ""
    }
    let (output, result) =
      try prompt.map { try engine.generate(chat: $0, options: options, onText: show) }
      ?? engine.generate(
        text: text, options: options, parseSpecial: arguments.flag(special), onText: show)
    let total = Date().timeIntervalSince(generation)
    if isJSON {
      let record = record(
        prompt: prompt ?? text, output: output, result: result, seed: options.sampling.seed,
        engine: engine)
      try Terminal.json(record)
    } else {
      try Terminal.product(shown + "\n")
    }
    Timings.report(result, load: loadSeconds, total: total)
    if arguments.flag(times) { Timings.report(engine) }
  }

  /// What the chat template makes of the text; nil without `--chat`. Its errors come before a model
  /// is read.
  private static func chatPrompt(_ text: String, _ arguments: ParsedArguments) throws -> String? {
    guard arguments.flag(chat) else {
      let others = [ChatFlags.system, ChatFlags.template, ChatFlags.name]
      if let other = others.first(where: arguments.has) {
        throw LabError(
          .usage, "the option '\(other.mainName)' has no effect without --chat",
          advice: "add --chat")
      }
      return nil
    }
    if arguments.has(TokenizeCommand.bos) || arguments.has(special) {
      throw ParserError.conflict(
        chat, arguments.has(special) ? special : TokenizeCommand.bos)
    }
    let path = try ModelLocation.resolve(try arguments.required(ModelOptions.model))
    let format = try ChatFlags.format(arguments, model: path)
    return try format.prompt(
      ChatConversation(system: arguments.text(ChatFlags.system), user: text),
      named: arguments.text(ChatFlags.name))
  }

  /// Says where a prompt begins with two begin-of-text tokens, which no model was trained with.
  private static func noteDoubledBOS(
    _ text: String, _ options: GenerationOptions, _ engine: Engine, _ arguments: ParsedArguments
  ) throws {
    let tokenizer = engine.tokenizer
    guard options.addsSpecial, arguments.flag(special), let bos = tokenizer.bos else { return }
    let tokens = try tokenizer.encode(text, addSpecial: true, parseSpecial: true)
    guard tokens.count > 1, tokens[0] == bos, tokens[1] == bos else { return }
    Terminal.note(
      "warning: the prompt begins with two '\(tokenizer.piece(bos) ?? "\(bos)")': one is in the text, the other is "
        + "put in front of it; leave it out of the text, or give --no-bos")
  }

  private static func record(
    prompt: String, output: String, result: GenerationResult, seed: UInt64, engine: Engine
  ) -> JSONValue {
    [
      "model": .string(engine.path),
      "prompt": .string(prompt),
      "text": .string(output),
      "prompt_tokens": JSONValue(result.prompt),
      "tokens": JSONValue(result.tokens),
      "finish": .string(result.finish.rawValue),
      "seed": JSONValue(seed),
      "timings": [
        "prompt_n": JSONValue(result.prompt.count),
        "prompt_ms": JSONValue(result.promptSeconds * 1e3),
        "prompt_per_second": JSONValue(result.promptTokensPerSecond),
        "predicted_n": JSONValue(result.tokens.count),
        "predicted_ms": JSONValue(result.generationSeconds * 1e3),
        "predicted_per_second": JSONValue(
          result.generatedTokensPerSecond.map { JSONValue($0) }),
        "decode_n": JSONValue(result.decodeSteps),
        "decode_ms": JSONValue(result.decodeSeconds * 1e3),
        "decode_per_second": JSONValue(
          result.decodeSteps > 0 ? JSONValue(result.decodeTokensPerSecond) : nil),
      ],
      "undefined": .object(undefined(result)),
    ]
  }

  /// Why a rate is null.
  private static func undefined(
    _ result: GenerationResult
  ) -> [(key: String, value: JSONValue)] {
    var reasons: [(key: String, value: JSONValue)] = []
    if result.generatedTokensPerSecond == nil {
      reasons.append(("timings.predicted_per_second", "no token was generated"))
    }
    if result.decodeSteps == 0 {
      reasons.append(
        ("timings.decode_per_second", "no decode step ran: the first token needs the prompt alone"))
    }
    return reasons
  }
}
