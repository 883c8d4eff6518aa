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
            TextInput.prompt, TextInput.file, TextInput.escape, count, ignoreEnd, special,
            showPrompt, times,
          ]),
        ModelOptions.group, SamplingFlags.group, context.stages.group,
      ],
      json: "one object at the end: text, tokens, finish, timings", plugins: true,
      examples: [
        ("trit generate -m model.gguf -p 'Once upon a time' -n 80", "a story of 80 tokens"),
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
    let start = Date()
    let deciding = try options.chain(lab: arguments.lab).decidingLogits
    let engine = try EngineLoader.load(
      arguments, head: StageOptions.head(deciding: deciding))
    let loadSeconds = Date().timeIntervalSince(start)
    EngineLoader.announce(engine)
    // The prompt is shown once it has been run, so that nothing is printed for one that cannot be.
    var shown = isJSON || !arguments.flag(showPrompt, default: true) ? "" : text
    engine.resetTimes()
    let generation = Date()
    let (output, result) = try engine.generate(
      text: text, options: options, parseSpecial: arguments.flag(special)
    ) { piece in
      if !isJSON { try Terminal.product(shown + piece) }
      shown = ""
    }
    let total = Date().timeIntervalSince(generation)
    if isJSON {
      let record = record(
        prompt: text, output: output, result: result, seed: options.sampling.seed, engine: engine)
      try Terminal.json(record)
    } else {
      try Terminal.product(shown + "\n")
    }
    Timings.report(result, load: loadSeconds, total: total)
    if arguments.flag(times) { Timings.report(engine) }
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
