import Foundation
import TritLab

/// `trit perplexity`: how well a model predicts a text, alone or beside the fp32 reference.
enum PerplexityCommand {
  static let file = OptionSpec(
    "-f", "--file", value: "data",
    help: "Text file, folder, file.jsonl:field, or a known name such as wikitext-2-raw/test")
  static let dataFolder = OptionSpec(
    "--data-dir", value: "folder", help: "Where known data sets lie", environment: "TRITLAB_DATA")
  static let method = OptionSpec(
    "--protocol", value: "name",
    help: "How the text is cut and scored: llama.cpp, strided or "
      + "contiguous", default: "llama.cpp",
    choices: PerplexityProtocol.descriptions.map(\.name))
  static let context = OptionSpec(
    "-c", "--ctx-size", value: "n", help: "Tokens of a window",
    default: "512; strided 1024; contiguous 2048")
  static let stride = OptionSpec(
    "--ppl-stride", "--stride", value: "n", help: "Step of the sliding window (strided)",
    default: "half the context")
  static let chunks = OptionSpec(
    "--chunks", value: "n", help: "Windows at most; -1 is all", default: "all")
  static let divergence = OptionSpec(
    flag: "--kl-divergence", help: "Compare with the fp32 reference, token by token")
  static let multipleChoice = OptionSpec(
    flag: "--multiple-choice",
    help: "Answer the questions in -f: builtin:storyteller/tasks, or a JSONL file of them")
  static let taskCount = OptionSpec(
    "--multiple-choice-tasks", value: "n", help: "Questions at most", default: "200; all of a file")
  static let json = OptionSpec(flag: "--json", help: "Print one JSON object")

  static let spec = CommandSpec(
    "perplexity", overview: "Measure how well a model predicts a text.",
    discussion: """
      The last line of standard output is that of llama-perplexity: Final estimate: PPL = … +/- …. \
      Figures of different protocols, contexts or tokenizers cannot be compared; bits per byte can. \
      On builtin:storyteller/test the floor is told: the loss that the source of the text itself has.

      With --multiple-choice the model is given questions, and the likeliest continuation is its answer. \
      Each line of a file of questions is {"context": "…", "choices": [" a", " b"], "answer": 0}, with \
      "kind" where accuracy is to be told by kind. acc compares summed log-probabilities, acc_norm those \
      a byte, as lm-evaluation-harness does; the last lines are acc of all and the accuracy of guessing.
      """,
    groups: [
      OptionGroup(
        "OPTIONS",
        [
          file, dataFolder, method, context, stride, chunks, divergence, multipleChoice, taskCount,
          json,
        ]),
      OptionGroup(
        "MODEL OPTIONS",
        [
          ModelOptions.model, ModelOptions.tokenizer, ModelOptions.threads, ModelOptions.chunk,
          ModelOptions.poll,
        ] + ModelOptions.accepted),
      StageOptions.group,
    ],
    examples: [
      ("trit perplexity -m model.gguf -f wiki.test.raw -c 512", "llama-perplexity's figure"),
      (
        "trit perplexity -m checkpoint/ -f text.txt -c 128 --kl-divergence",
        "and what the quantized stages change against fp32"
      ),
      (
        "trit perplexity -m hf:ORG/NAME -f wikitext-2-raw/test --protocol contiguous -c 2048",
        "the figure of quantization papers"
      ),
      (
        "trit perplexity -m builtin:storyteller --multiple-choice -f builtin:storyteller/tasks",
        "who has the ball, how many apples are left: accuracy by kind of question"
      ),
    ],
    run: run)

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let dataset = try arguments.required(file)
    if arguments.flag(multipleChoice) { return try MultipleChoice.run(arguments, dataset) }
    guard !arguments.has(taskCount) else {
      throw LabError(
        .usage, "--multiple-choice-tasks goes with --multiple-choice", at: "--multiple-choice-tasks"
      )
    }
    let method = try PerplexityProtocol(
      name: try arguments.choice(Self.method) ?? "llama.cpp",
      context: try arguments.integer(context, in: 1...(1 << 24)),
      stride: try arguments.integer(stride, in: 1...(1 << 24)))
    let limit = try arguments.integer(chunks, in: -1...Int.max).flatMap { $0 < 0 ? nil : $0 }
    let selection = try StageOptions.selection(arguments)
    let data = try TextDataset.load(dataset, directory: arguments.text(dataFolder))
    let checkpoint = try ModelOptions.checkpoint(arguments)
    func engine(_ selection: StageSelection) throws -> Engine {
      let options = try ModelOptions.engineOptions(
        arguments, trained: checkpoint.configuration.contextLength, context: method.context)
      return try Engine(checkpoint: checkpoint, selection: selection, options: options)
    }
    let variant = try engine(selection)
    EngineLoader.announce(variant)
    Terminal.note("data: \(dataset), \(data.byteCount) bytes; protocol \(method.label)")
    if arguments.flag(divergence) {
      let printer = ProgressPrinter("divergence", value: "KLD")
      let statistics = try DivergenceMeasurement().measure(
        variant: variant, reference: try engine(.reference), text: data.text, method: method,
        limit: limit, parseSpecial: data.writesControlTokens, progress: printer.show)
      return try report(statistics, arguments)
    }
    let printer = ProgressPrinter("perplexity", value: "PPL")
    let result = try Perplexity.measure(
      variant, text: data.text, method: method, limit: limit,
      parseSpecial: data.writesControlTokens, progress: printer.show)
    try report(result, floor: data.floor(by: variant.tokenizer), arguments)
  }

  private static func report(
    _ result: PerplexityResult, floor: Double?, _ arguments: ParsedArguments
  ) throws {
    if arguments.flag(json) {
      let record: JSONValue = [
        "protocol": .string(result.method.name), "context": JSONValue(result.method.context),
        "chunks": JSONValue(result.chunks), "scored_tokens": JSONValue(result.scoredTokens),
        "perplexity": JSONValue(result.perplexity.value),
        "perplexity_error": JSONValue(result.perplexity.error),
        "mean_nll": JSONValue(result.meanNLL.value),
        "bits_per_byte": JSONValue(result.bitsPerByte.map { JSONValue($0) }),
        "floor_nll": JSONValue(floor.map { JSONValue($0) }),
        "running_perplexity": JSONValue(result.runningPerplexity),
        "seconds": JSONValue(result.seconds),
      ]
      return try Terminal.line(JSONWriter.text(record, pretty: true))
    }
    var facts = "\(result.chunks) chunks, \(result.scoredTokens) tokens scored"
    if let bits = result.bitsPerByte { facts += String(format: ", %.4f bits per byte", bits) }
    let rate = Double(result.chunks * result.method.context) / max(result.seconds, 1e-9)
    Terminal.note(facts + String(format: ", %.2f s (%.0f tokens per second)", result.seconds, rate))
    if let floor {
      Terminal.note(
        String(
          format: "floor: the source of the text has at most %.4f nats a token, PPL = %.4f; "
            + "the model is %.4f nats above", floor, exp(floor), result.meanNLL.value - floor))
    }
    try Terminal.line(result.runningLine)
    try Terminal.line(result.finalLine)
  }

  private static func report(_ result: DivergenceStatistics, _ arguments: ParsedArguments) throws {
    guard arguments.flag(json) else {
      try Terminal.line(result.report)
      let estimate = result.variantPerplexity
      return try Terminal.line(
        String(format: "Final estimate: PPL = %.4f +/- %.5f", estimate.value, estimate.error))
    }
    func estimate(_ value: Estimate) -> JSONValue {
      ["value": JSONValue(value.value), "error": JSONValue(value.error)]
    }
    let comparison = result.comparison
    let record: JSONValue = [
      "protocol": .string(result.method.name), "context": JSONValue(result.method.context),
      "scored_tokens": JSONValue(result.scoredTokens),
      "perplexity": estimate(result.variantPerplexity),
      "reference_perplexity": estimate(result.basePerplexity),
      "ln_ppl_ratio": estimate(comparison.logRatio), "ppl_ratio": estimate(comparison.ratio),
      "ppl_difference": estimate(comparison.difference),
      "ln_ppl_correlation": JSONValue(comparison.correlation),
      "mean_kld": estimate(result.meanDivergence),
      "median_kld": JSONValue(result.divergence(quantile: 0.5)),
      "kld_99": JSONValue(result.divergence(quantile: 0.99)),
      "maximum_kld": JSONValue(result.divergence(quantile: 1)),
      "mean_delta_p": estimate(result.meanProbabilityChange),
      "rms_delta_p": estimate(result.rmsProbabilityChange),
      "same_top_p": estimate(result.sameTopShare),
    ]
    try Terminal.line(JSONWriter.text(record, pretty: true))
  }
}
