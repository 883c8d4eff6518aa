import Foundation
import TritLab

/// `trit perplexity`: how well a model predicts a text, alone or beside the fp32 reference.
enum PerplexityCommand {
  static let file = OptionSpec(
    "-f", "--file", value: "data",
    help: "Text file (.gz too), folder, file.jsonl:field, a known name such as "
      + "wikitext-2-raw/test, or - for standard input")
  static let dataFolder = OptionSpec(
    "--data-dir", value: "folder", help: "Where known data sets lie", environment: "TRITLAB_DATA")
  static let method = OptionSpec(
    "--protocol", value: "name",
    help: "How the text is cut and scored: llama.cpp, strided, contiguous or "
      + "lm-eval", default: "llama.cpp",
    choices: PerplexityProtocol.descriptions.map(\.name))
  static let context = OptionSpec(
    "-c", "--ctx-size", value: "n", help: "Tokens of a window; 0 is the model's own context",
    default: "512; strided 1024; contiguous 2048; lm-eval 4096; never above the model's")
  static let stride = OptionSpec(
    "--ppl-stride", "--stride", value: "n", help: "Step of the sliding window (strided)",
    default: "half the context")
  static let chunks = OptionSpec(
    "--chunks", value: "n|a:b",
    help: "Windows at most, -1 is all; or a part of them, a:b, from 0 and without b",
    default: "all")
  static let divergence = OptionSpec(
    flag: "--kl-divergence", help: "Compare with the fp32 reference, token by token")
  static let logitsFile = OptionSpec(
    "--kl-divergence-base", "--save-all-logits", value: "file",
    help: "Write the model's logits there; with --kl-divergence compare with those in it",
    completion: Completion(files: .any))
  static let samples = OptionSpec(
    "--samples", value: "file",
    help:
      "Write the loss of every window (or the outcome of every question) there, for trit compare",
    completion: Completion(files: .any))
  static let multipleChoice = OptionSpec(
    flag: "--multiple-choice",
    help: "Answer the questions in -f: builtin:storyteller/tasks, or a JSONL file of them")
  static let taskCount = OptionSpec(
    "--multiple-choice-tasks", value: "n", help: "Questions at most", default: "200; all of a file")
  static let split = OptionSpec(
    "--split", value: "name",
    help: "Where context ends and choice begins: common, or lm-eval as lm-evaluation-harness cuts",
    default: "common", choices: TaskSplit.allCases.map(\.rawValue))

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "perplexity", context, overview: "Measure how well a model predicts a text.",
      discussion: """
        The last line of standard output is that of llama-perplexity: Final estimate: PPL = … +/- …. \
        Its error takes tokens as independent; the line before it has the error over windows, which does not. \
        A model trained on less than the protocol's context is measured at its own. \
        Figures of different protocols, contexts or tokenizers cannot be compared; bits per byte can. \
        The protocol strided counts every token once; the loop in Hugging Face's documentation weights each \
        window after the first by one token less, and its figure is told too. \
        The protocol lm-eval is the harness's rolling log-likelihood of the text as one document, with its \
        perplexity a word and a byte; its task wikitext, which cuts pages and undoes WikiText's spacing, is \
        'trit tasks --tasks wikitext'. \
        On builtin:storyteller/test the floor is told: the loss that the source of the text itself has.

        With --multiple-choice the model is given questions, and the likeliest continuation is its answer. \
        Each line of a file of questions is {"context": "…", "choices": [" a", " b"], "answer": 0}, with \
        "kind" where accuracy is to be told by kind. As in lm-evaluation-harness, acc compares summed \
        log-probabilities, acc_norm those a character (Unicode code point), acc_bytes those a byte; one space in \
        front of a choice is not counted. Shares have 95 % Wilson intervals. The last lines are acc of all with \
        its standard error and the accuracy of guessing.

        --chunks 8 runs the first 8 windows, --chunks 8:16 the windows 8 to 15 and nothing else: a long text can be \
        shared out; with a file of logits it runs that part of the file's windows. 'trit run' does that for a whole \
        experiment, and 'trit collect' joins the parts to the digits of one run.

        Where a token spans context and choice, it is scored with the choice. lm-evaluation-harness cuts at \
        the number of tokens that the context alone has, and so loses part of the choice: --split lm-eval \
        does the same, to compare with figures of others.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            file, dataFolder, method, Self.context, stride, chunks, divergence, logitsFile,
            samples, multipleChoice,
            taskCount,
            split,
          ]),
        OptionGroup(
          "MODEL OPTIONS",
          [
            ModelOptions.model, ModelOptions.tokenizer, ModelOptions.i2sLayout,
            ModelOptions.threads, ModelOptions.chunk,
            ModelOptions.poll, ModelOptions.noImages,
          ] + ModelOptions.accepted),
        context.stages.group,
      ],
      json: "one object of the figures; what is not defined is null, and 'undefined' says why",
      plugins: true,
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
          "trit perplexity -m f16.gguf -f wiki.test.raw --kl-divergence-base wiki.kld",
          "logits for llama-perplexity, and from it: then --kl-divergence --kl-divergence-base wiki.kld"
        ),
        (
          "trit perplexity -m builtin:storyteller --multiple-choice -f builtin:storyteller/tasks",
          "who has the ball, how many apples are left: accuracy by kind of question"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    if arguments.flag(divergence), let path = arguments.text(logitsFile) {
      return try compare(arguments, with: path)
    }
    let dataset = try arguments.required(file)
    if arguments.flag(multipleChoice) { return try MultipleChoice.run(arguments, dataset) }
    guard !arguments.has(taskCount) else {
      throw LabError(
        .usage, "--multiple-choice-tasks goes with --multiple-choice", at: "--multiple-choice-tasks"
      )
    }
    guard !arguments.has(split) else {
      throw LabError(.usage, "--split goes with --multiple-choice", at: "--split")
    }
    let name = try arguments.choice(Self.method) ?? "llama.cpp"
    let asked = try arguments.integer(context, in: 0...(1 << 24))
    let step = try arguments.integer(stride, in: 1...(1 << 24))
    // What is wrong in itself is told before a model is opened.
    let standard = try PerplexityProtocol(
      name: name, context: asked.flatMap { $0 == 0 ? nil : $0 }, stride: asked == 0 ? nil : step)
    let windows = try selection(arguments)
    let selection = try arguments.stages.selection(arguments)
    let data = try TextDataset.load(dataset, directory: arguments.text(dataFolder))
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let trained = checkpoint.configuration.contextLength
    let method = try PerplexityProtocol(
      name: name, context: asked == 0 ? trained : asked, stride: step, longest: trained)
    if asked == nil, method.context < standard.context {
      Terminal.note(
        "context: \(method.context), all that the model was trained with; the protocol's own is "
          + "\(standard.context) (-c)")
    }
    func engine(_ selection: StageSelection) throws -> Engine {
      let options = try ModelOptions.engineOptions(
        arguments, trained: trained, context: method.context)
      return try Engine(
        checkpoint: checkpoint, selection: selection, lab: arguments.lab,
        options: options)
    }
    let variant = try engine(selection)
    EngineLoader.announce(variant)
    if data.sources.count > 1 || !data.leftOut.isEmpty {
      let names = data.sources.map { String($0.split(separator: "/").last ?? "") }
      Terminal.note(
        "read: \(short(names))" + (data.leftOut.isEmpty ? "" : "; left out: \(short(data.leftOut))")
      )
    }
    Terminal.note("data: \(dataset), \(data.byteCount) bytes; protocol \(method.label)")
    if arguments.flag(divergence) {
      let printer = ProgressPrinter("divergence", value: "KLD")
      let reference = try engine(.reference)
      let cut = try method.windows(
        of: data, tokenizer: reference.tokenizer, selection: windows)
      let statistics = try DivergenceMeasurement().measure(
        variant: variant, reference: reference, windows: cut.windows, method: method,
        firstChunk: cut.first, progress: printer.show)
      try keep(MeasuredSamples(statistics, windows: cut), arguments)
      return try report(statistics, arguments)
    }
    let printer = ProgressPrinter("perplexity", value: "PPL")
    let cut = try method.windows(
      of: data, tokenizer: variant.tokenizer, selection: windows)
    let result: PerplexityResult
    if let path = arguments.text(logitsFile) {
      result = try LogitsFileWriter.write(
        variant, windows: cut.windows, method: method, to: path,
        parseSpecial: data.writesControlTokens, firstChunk: cut.first, progress: printer.show)
      Terminal.note("logits: \(path), \(cut.windows.count) chunks")
    } else {
      result = try Perplexity.measure(
        variant, windows: cut.windows, method: method, parseSpecial: data.writesControlTokens,
        firstChunk: cut.first, progress: printer.show)
    }
    if windows.isPart {
      let last = result.firstChunk + result.chunks
      Terminal.note("windows \(result.firstChunk):\(last) of \(cut.total)")
    }
    try keep(MeasuredSamples(result, windows: cut), arguments)
    let isWhole = !windows.isPart && windows.upper == nil
    try report(
      result, harness: isWhole ? result.harnessFigures(of: data.text) : nil,
      floor: data.floor(by: variant.tokenizer), floorBits: data.floorBitsPerByte, arguments)
  }

  /// Writes samples where `--samples` says.
  static func keep(
    _ samples: @autoclosure () throws -> MeasuredSamples, _ arguments: ParsedArguments
  )
    throws
  {
    guard let path = arguments.text(Self.samples) else { return }
    try samples().write(to: path)
    Terminal.note("samples: \(path)")
  }

  /// Compares with the logits in a file, over the windows that stand there: no text and no
  /// reference is needed.
  private static func compare(_ arguments: ParsedArguments, with path: String) throws {
    for option in [file, method, Self.context, stride] where arguments.has(option) {
      throw LabError(
        .usage, "the text and how it is cut stand in the file of logits", at: "\(option.names[0])",
        advice: "leave it out beside --kl-divergence --kl-divergence-base \(path)")
    }
    let selection = try selection(arguments)
    let base = try LogitsFile(path: path)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let options = try ModelOptions.engineOptions(
      arguments, trained: checkpoint.configuration.contextLength, context: base.context)
    let variant = try Engine(
      checkpoint: checkpoint, selection: try arguments.stages.selection(arguments),
      lab: arguments.lab, options: options)
    EngineLoader.announce(variant)
    Terminal.note("reference: \(path), \(base.chunks.count) chunks of \(base.context) tokens")
    let printer = ProgressPrinter("divergence", value: "KLD")
    let statistics = try DivergenceMeasurement().measure(
      variant: variant, reference: base, selection: selection, progress: printer.show)
    let range = try selection.range(of: min(base.chunks.count, selection.needed ?? .max))
    if selection.isPart {
      Terminal.note("windows \(range.lowerBound):\(range.upperBound) of \(base.chunks.count)")
    }
    try keep(
      MeasuredSamples(
        statistics, windows: TextWindows(Array(base.windows(variant.tokenizer)[range]))), arguments)
    try report(statistics, arguments)
  }

  /// The first names of a list.
  private static func short(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ")
      + (names.count > 8 ? " and \(names.count - 8) more" : "")
  }

  /// The windows that `--chunks` asks for: N as llama-perplexity has it, or a part.
  private static func selection(_ arguments: ParsedArguments) throws -> WindowSelection {
    guard let text = arguments.text(chunks), text.contains(":") else {
      let count = try arguments.integer(
        chunks, in: -1...Int.max, expected: "a whole number from -1, or a part of the windows, a:b")
      return WindowSelection(first: count.flatMap { $0 < 0 ? nil : $0 })
    }
    guard let selection = WindowSelection(text) else {
      throw ParserError.invalidValue(
        chunks, value: text,
        expected: "a part of the windows, half open and from 0, as 0:8, 8:16 or 16:")
    }
    return selection
  }

  private static func report(
    _ result: PerplexityResult, harness: (word: Double, byte: Double, bits: Double)?,
    floor: Double?, floorBits: Double?, _ arguments: ParsedArguments
  ) throws {
    if arguments.isJSON {
      let record: JSONValue = [
        "protocol": .string(result.method.name), "context": JSONValue(result.method.context),
        "chunks": JSONValue(result.chunks), "first_chunk": JSONValue(result.firstChunk),
        "scored_tokens": JSONValue(result.scoredTokens),
        "perplexity": JSONValue(result.perplexity.value),
        "perplexity_error": JSONValue(result.perplexity.error),
        "perplexity_window_error": JSONValue(result.perplexityWindowError.map { JSONValue($0) }),
        "mean_nll": JSONValue(result.meanNLL.value),
        "mean_nll_error": JSONValue(result.meanNLL.error),
        "mean_nll_window_error": JSONValue(result.meanNLLWindowError.map { JSONValue($0) }),
        "documented_loop_nll": JSONValue(result.documentedLoopNLL.map { JSONValue($0) }),
        "bits_per_byte": JSONValue((harness?.bits ?? result.bitsPerByte).map { JSONValue($0) }),
        "word_perplexity": JSONValue(harness.map { JSONValue($0.word) }),
        "byte_perplexity": JSONValue(harness.map { JSONValue($0.byte) }),
        "floor_nll": JSONValue(floor.map { JSONValue($0) }),
        "floor_bits_per_byte": JSONValue(floorBits.map { JSONValue($0) }),
        "running_perplexity": JSONValue(result.runningPerplexity),
        "seconds": JSONValue(result.seconds),
        "undefined": .object(undefined(result, hasHarness: harness != nil, floor: floor)),
      ]
      return try Terminal.json(record)
    }
    var facts = "\(result.chunks) chunks, \(result.scoredTokens) tokens scored"
    if let bits = result.bitsPerByte { facts += String(format: ", %.4f bits per byte", bits) }
    let rate = Double(result.chunks * result.method.context) / max(result.seconds, 1e-9)
    Terminal.note(facts + String(format: ", %.2f s (%.0f tokens per second)", result.seconds, rate))
    if let floor, let floorBits {
      Terminal.note(
        String(
          format: "floor: the source of the text has %.4f nats a token, PPL = %.4f, "
            + "%.4f bits per byte; the model is %.4f nats above", floor, exp(floor), floorBits,
          result.meanNLL.value - floor))
    }
    if let harness {
      Terminal.note(
        String(
          format:
            "as lm-evaluation-harness tells it: word_perplexity %.4f, byte_perplexity %.4f, "
            + "bits_per_byte %.4f", harness.word, harness.byte, harness.bits))
    }
    if let loop = result.documentedLoopNLL {
      Terminal.note(
        String(
          format:
            "the loop in Hugging Face's documentation, which weights windows after the first by one "
            + "token less, gives PPL = %.4f", exp(loop)))
    }
    try Terminal.line(result.runningLine)
    if let error = result.perplexityWindowError {
      try Terminal.line(
        String(
          format: "Error over windows: +/- %.5f (%d windows; below, tokens count as independent)",
          error, result.chunks))
    } else {
      try Terminal.line("Error over windows: none, one window has no spread")
    }
    try Terminal.line(result.finalLine)
  }

  /// Why a figure is null.
  private static func undefined(
    _ result: PerplexityResult, hasHarness: Bool, floor: Double?
  ) -> [(key: String, value: JSONValue)] {
    var reasons: [(key: String, value: JSONValue)] = []
    if result.perplexityWindowError == nil {
      let reason: JSONValue = "one window has no spread"
      reasons += [("perplexity_window_error", reason), ("mean_nll_window_error", reason)]
    }
    if result.scoredTokens < 2 {
      let reason: JSONValue = "one token has no spread"
      reasons += [("perplexity_error", reason), ("mean_nll_error", reason)]
    }
    if result.documentedLoopNLL == nil {
      reasons.append(("documented_loop_nll", "the protocol is not 'strided'"))
    }
    if result.bitsPerByte == nil, !hasHarness {
      reasons.append(("bits_per_byte", "a scored token stands for no bytes"))
    }
    if !hasHarness {
      let reason: JSONValue = "told of a whole text by the protocol 'lm-eval'"
      reasons += [("word_perplexity", reason), ("byte_perplexity", reason)]
    }
    if floor == nil { reasons.append(("floor_nll", "the source of the text is not known")) }
    return reasons
  }

  private static func report(_ result: DivergenceStatistics, _ arguments: ParsedArguments) throws {
    guard arguments.isJSON else {
      try Terminal.line(result.report)
      if !result.windowReport.isEmpty { try Terminal.line(result.windowReport) }
      let estimate = result.variantPerplexity
      return try Terminal.line(
        String(
          format: "Final estimate: PPL = %.4f +/- %.5f", estimate.value,
          estimate.error.isNaN ? 0 : estimate.error))
    }
    let windows = result.windowErrors
    func estimate(
      _ value: Estimate, _ windowError: KeyPath<DivergenceWindowErrors, Double>
    ) -> JSONValue {
      [
        "value": JSONValue(value.value), "error": JSONValue(value.error),
        "window_error": JSONValue(windows.map { JSONValue($0[keyPath: windowError]) }),
      ]
    }
    var undefined: [(key: String, value: JSONValue)] = []
    if windows == nil { undefined.append(("window_error", "one window has no spread")) }
    if result.scoredTokens < 2 { undefined.append(("error", "one token has no spread")) }
    if !result.comparison.correlation.isFinite {
      undefined.append(("ln_ppl_correlation", "one of the two has the same loss at every token"))
    }
    let interval = result.sameTopInterval
    let comparison = result.comparison
    let record: JSONValue = [
      "protocol": .string(result.method.name), "context": JSONValue(result.method.context),
      "scored_tokens": JSONValue(result.scoredTokens),
      "perplexity": estimate(result.variantPerplexity, \.variantPerplexity),
      "reference_perplexity": estimate(result.basePerplexity, \.basePerplexity),
      "ln_ppl_ratio": estimate(comparison.logRatio, \.logRatio),
      "ppl_ratio": estimate(comparison.ratio, \.ratio),
      "ppl_difference": estimate(comparison.difference, \.difference),
      "ln_ppl_correlation": JSONValue(comparison.correlation),
      "mean_kld": estimate(result.meanDivergence, \.meanDivergence),
      "median_kld": JSONValue(result.divergence(quantile: 0.5)),
      "kld_99": JSONValue(result.divergence(quantile: 0.99)),
      "maximum_kld": JSONValue(result.divergence(quantile: 1)),
      "mean_delta_p": estimate(result.meanProbabilityChange, \.meanProbabilityChange),
      "rms_delta_p": estimate(result.rmsProbabilityChange, \.rmsProbabilityChange),
      "same_top_p": estimate(result.sameTopShare, \.sameTopShare),
      "same_top_p_lower": JSONValue(interval.map { JSONValue($0.lower) }),
      "same_top_p_upper": JSONValue(interval.map { JSONValue($0.upper) }),
      "chunks": JSONValue(result.chunkCounts.count), "undefined": .object(undefined),
    ]
    try Terminal.json(record)
  }
}
