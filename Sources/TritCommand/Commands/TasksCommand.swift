import Foundation
import TritLab

/// `trit tasks`: the tasks of lm-evaluation-harness.
enum TasksCommand {
  static let tasks = OptionSpec(
    "--tasks", value: "list",
    help: "Tasks and groups with commas between: hellaswag,piqa, mmlu, mmlu_anatomy, avg5")
  static let data = OptionSpec(
    "--data", value: "path", help: "Folder of data sets, or the JSONL file of a single task",
    environment: "TRITLAB_DATA")
  static let exampleData = OptionSpec(
    "--fewshot-data", value: "path", help: "Where examples come from", default: "as --data")
  static let shots = OptionSpec(
    "--fewshot", "--num-fewshot", value: "n", help: "Examples before each question", default: "0")
  static let limit = OptionSpec(
    "--limit", value: "n", help: "Questions of each task; below 1 a share of them", default: "all")
  static let seed = OptionSpec(
    "--fewshot-seed", value: "n", help: "Seed of the choice of examples", default: "1234")
  static let resamples = OptionSpec(
    "--bootstrap-iters", value: "n",
    help: "Resamples for errors that have no formula; 0 leaves all errors out", default: "100000")
  static let output = OptionSpec(
    "-o", "--output", value: "format",
    help: "table, or lm-eval: the harness's results document", default: "table",
    choices: ["table", "lm-eval"])
  static let samples = OptionSpec(
    flag: "--log-samples", help: "Every answer in the results document, as 'samples'")
  static let samplesFile = OptionSpec(
    "--samples", value: "file",
    help: "Write the outcome of every question there, for trit compare",
    completion: Completion(files: .any))
  static let context = OptionSpec(
    "-c", "--ctx-size", value: "n",
    help: "Longest input in tokens (the harness's max_length); 0 is the model's own",
    default: "the model's, at most 4096")
  static let chat = OptionSpec(
    flag: "--apply-chat-template",
    help: "Ask as messages to a chat model, in the model's chat template")
  static let system = OptionSpec(
    "--system-instruction", value: "text", help: "What a chat model is told beforehand")
  static let multiturn = OptionSpec(
    "--fewshot-as-multiturn", value: "flag",
    help: "Whether a chat model gets examples as turns, or in one message", default: "true",
    choices: ["true", "false"])
  static let path = ArgumentSpec(
    "path", help: "Where -o lm-eval goes: a file .json, or a folder as the harness fills it",
    optional: true)

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "tasks", context, overview: "Run tasks of lm-evaluation-harness.",
      discussion: """
        Prompts, choices, metrics, standard errors and few-shot examples are those of lm-evaluation-harness \
        \(HarnessTask.harnessVersion): wikitext, lambada_openai, lambada_standard, hellaswag, piqa, arc_easy, \
        arc_challenge, winogrande, boolq, openbookqa, sciq and mmlu. Its table is printed; -o lm-eval writes its \
        results document, which its own tools read.

        acc compares summed log-probabilities, acc_norm those a character (Unicode code point). mmlu and its groups \
        are means over questions, as in the harness. avg5 is piqa, arc_easy, arc_challenge, hellaswag and winogrande: \
        the mean of acc over the five, and acc_norm_else_acc, the mean of acc_norm with acc for winogrande, which has \
        no acc_norm. Papers take one or the other; say which.

        Data is JSONL with the fields of the Hugging Face data sets, plain or gzip. In a folder, questions and \
        examples are TASK/SPLIT.jsonl (hellaswag/validation.jsonl, mmlu/test.jsonl with all subjects) or \
        DATASET/CONFIGURATION/SPLIT.jsonl (allenai/ai2_arc/ARC-Easy/test.jsonl). Where a file is missing or Parquet, \
        the error has the command that gets or converts it.
        """,
      arguments: [path],
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            tasks, data, exampleData, shots, limit, seed, resamples, chat, system,
            multiturn, ChatFlags.template, ChatFlags.name, output, samples, samplesFile,
            Self.context,
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
      json: "the harness's results document, with the lab's own figures below 'tritlab'",
      plugins: true,
      examples: [
        (
          "trit tasks -m model.gguf --tasks hellaswag,piqa --data sets/",
          "two tasks, without examples"
        ),
        (
          "trit tasks -m model.gguf --tasks mmlu --num-fewshot 5 --data sets/",
          "57 subjects and their groups"
        ),
        (
          "trit tasks -m model.gguf --tasks avg5 --data sets/ -o lm-eval results/",
          "the mean that papers report, and the harness's results file"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let names = try arguments.list(tasks)
    guard !names.isEmpty else { throw ParserError.missingOption([tasks]) }
    let chosen = try HarnessSelection(names)
    var options = HarnessOptions()
    options.shots = try arguments.integer(shots, in: 0...1000) ?? 0
    options.limit = try limit(arguments)
    options.seed = UInt64(try arguments.integer(seed, in: 0...Int.max) ?? 1234)
    options.resamples = try arguments.integer(resamples, in: 0...10_000_000) ?? 100_000
    let length = try arguments.integer(context, in: 0...(1 << 24))
    if length == 1 {
      throw LabError(
        .usage, "a context of 1 token holds no question", at: "-c", expected: "0, or 2 and more",
        got: "1", advice: "leave -c out for the model's own")
    }
    let format = try arguments.choice(output) ?? "table"
    let target = arguments.arguments.first
    guard target == nil || format == "lm-eval" else {
      throw LabError(
        .usage, "a table goes to standard output", at: target, expected: "-o lm-eval before a path",
        advice: "write -o lm-eval, or leave the path out")
    }
    let selection = try arguments.stages.selection(arguments)
    let data = try HarnessData(
      arguments.text(Self.data), examples: arguments.text(exampleData),
      isAlone: chosen.tasks.count == 1)
    let prompt = try prompt(arguments, chosen)
    // What is missing or wrong in itself is told before a model is opened.
    let questions = try chosen.tasks.map { try HarnessQuestions($0, data, options) }
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let trained = checkpoint.configuration.contextLength
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection, lab: arguments.lab,
      options: ModelOptions.engineOptions(arguments, trained: trained, context: min(trained, 4096)))
    EngineLoader.announce(engine)
    Terminal.note(
      "tasks: \(names.joined(separator: ",")) of \(data.path), "
        + "inputs of at most \(engine.contextLength) tokens")
    if length == nil, engine.contextLength < trained {
      Terminal.note(
        "the harness would take the \(trained) tokens that the model was trained with: -c 0 does")
    }
    if options.shots > 0, chosen.tasks.contains(where: { !$0.takesExamples }) {
      Terminal.note("whole texts (wikitext) have no examples in front: 0-shot")
    }
    let printer = ProgressPrinter("tasks")
    let results = try HarnessEvaluation.measure(
      engine, chosen, questions, options, prompt: prompt, progress: printer.show)
    if let path = arguments.text(samplesFile) {
      try MeasuredSamples(results, questions).write(to: path)
      Terminal.note("samples: \(path)")
    }
    try report(results, format, target, engine, arguments)
  }

  /// The form in which questions are asked: plain text where nobody asks for a chat template.
  private static func prompt(
    _ arguments: ParsedArguments, _ chosen: HarnessSelection
  ) throws -> TaskPrompt {
    guard arguments.flag(chat) else {
      let others = [system, multiturn, ChatFlags.template, ChatFlags.name]
      if let other = others.first(where: arguments.has) {
        throw LabError(
          .usage, "the option '\(other.mainName)' has no effect without --apply-chat-template",
          advice: "add --apply-chat-template")
      }
      return .plain
    }
    let path = try ModelLocation.resolve(try arguments.required(ModelOptions.model))
    let prompt = ChatPrompt(
      try ChatFlags.format(arguments, model: path), system: arguments.text(system),
      named: arguments.text(ChatFlags.name),
      isMultiturn: try arguments.choice(multiturn) != "false")
    // A template that cannot be rendered is told before a model is opened.
    let refusing = try chosen.tasks.filter { try !prompt.takesSystem(description: $0.description) }
    if !refusing.isEmpty {
      Terminal.note(
        "the chat template takes no system message: system instruction and description are left "
          + "out, as in the harness")
    }
    return .chat(prompt)
  }

  private static func limit(_ arguments: ParsedArguments) throws -> Double? {
    let expected = "a whole number from 1, or a share above 0 and below 1"
    guard let value = try arguments.real(limit, in: 0...1e9, expected: expected) else { return nil }
    guard value > 0, value < 1 || value == value.rounded() else {
      throw ParserError.invalidValue(limit, value: arguments.text(limit) ?? "", expected: expected)
    }
    return value
  }

  private static func report(
    _ results: HarnessResults, _ format: String, _ target: String?, _ engine: Engine,
    _ arguments: ParsedArguments
  ) throws {
    Terminal.note(
      String(format: "%d tokens run, %.2f s", results.tokensRun, results.seconds))
    if results.truncated > 0 {
      Terminal.note("\(results.truncated) requests were cut at their beginning to fit the model")
    }
    let model = arguments.text(ModelOptions.model) ?? ""
    let now = Date()
    let document = results.document(
      model: model,
      settings: [
        ("max_length", JSONValue(engine.contextLength)), ("device", "cpu"), ("batch_size", 1),
      ] + chatSettings(arguments), date: now.timeIntervalSince1970,
      logsSamples: arguments.flag(samples))
    if let target {
      let path = try file(target, model, now)
      try AtomicFile.write(JSONWriter.text(document, pretty: true) + "\n", to: path)
      Terminal.note("results: \(path)")
    }
    if arguments.isJSON || format == "lm-eval" && target == nil {
      return try Terminal.json(document)
    }
    try Terminal.out(HarnessTable.text(results))
  }

  /// What changes figures and is no stage: named in the results where it is not as usual.
  private static func chatSettings(_ arguments: ParsedArguments) -> [(
    key: String, value: JSONValue
  )] {
    guard arguments.flag(chat) else { return [] }
    return [
      ("apply_chat_template", true),
      ("system_instruction", JSONValue(arguments.text(system).map(JSONValue.string))),
      ("fewshot_as_multiturn", JSONValue(arguments.text(multiturn) != "false")),
    ]
  }

  /// The file of a results document: `target` itself, or below it the place that the harness gives
  /// it.
  private static func file(_ target: String, _ model: String, _ date: Date) throws -> String {
    if target.hasSuffix(".json"), FileKind(at: target) != .folder { return target }
    let folder = target + "/" + HarnessResults.sanitized(model)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "cannot make the folder of the results", at: folder,
        got: error.localizedDescription, advice: "check that its parent can be written to")
    }
    let parts = Calendar(identifier: .gregorian).dateComponents(
      in: TimeZone(secondsFromGMT: 0) ?? .current, from: date)
    let stamp = String(
      format: "%04d-%02d-%02dT%02d-%02d-%02d.%06d", parts.year ?? 0, parts.month ?? 0,
      parts.day ?? 0, parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0,
      (parts.nanosecond ?? 0) / 1000)
    return folder + "/results_" + stamp + ".json"
  }
}
