import Foundation
import TritLab

/// `trit perplexity --multiple-choice`: how many questions a model answers rightly.
enum MultipleChoice {
  /// Answers the questions that `name` names.
  static func run(_ arguments: ParsedArguments, _ name: String) throws {
    // What cuts and scores a text has no meaning here.
    for option in [
      PerplexityCommand.method, PerplexityCommand.stride, PerplexityCommand.chunks,
      PerplexityCommand.divergence,
    ] where arguments.has(option) {
      let spelling = option.names.last ?? ""
      throw LabError(
        .usage, "\(spelling) does not go with --multiple-choice", at: spelling,
        advice: "drop one of the two")
    }
    let limit = try arguments.integer(PerplexityCommand.taskCount, in: 1...1_000_000)
    let context = try arguments.integer(PerplexityCommand.context, in: 0...(1 << 24))
    if context == 1 {
      throw LabError(
        .usage, "a context of 1 token holds no question", at: "-c", expected: "0, or 2 and more",
        got: "1", advice: "leave -c out for the model's own")
    }
    let split = try arguments.choice(PerplexityCommand.split).flatMap { TaskSplit(rawValue: $0) }
    let selection = try arguments.stages.selection(arguments)
    let data = try TaskDataset.load(name, limit: limit)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let trained = checkpoint.configuration.contextLength
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection, lab: arguments.lab,
      options: ModelOptions.engineOptions(
        arguments, trained: trained, context: min(trained, 4096)))
    EngineLoader.announce(engine)
    Terminal.note("questions: \(name), \(data.tasks.count)")
    let printer = ProgressPrinter("tasks", value: "acc")
    let result = try TaskEvaluation.measure(
      engine, tasks: data.tasks, split: split ?? .common, progress: printer.show)
    try PerplexityCommand.keep(MeasuredSamples(result, of: data), arguments)
    try report(result, split ?? .common, arguments)
  }

  private static func report(
    _ result: TaskResult, _ split: TaskSplit, _ arguments: ParsedArguments
  ) throws {
    let total = result.total
    if arguments.isJSON {
      let document: JSONValue = [
        "split": .string(split.rawValue), "all": record(total),
        "kinds": .array(result.kinds.map(record)),
        "truncated": JSONValue(result.truncated), "tokens_run": JSONValue(result.tokensRun),
        "seconds": JSONValue(result.seconds),
      ]
      return try Terminal.json(document)
    }
    Terminal.note(
      String(
        format: "%d questions, %d tokens run of %d (the cache held the others), %.2f s",
        total.count, result.tokensRun, result.tokensScored, result.seconds))
    if result.truncated > 0 {
      Terminal.note("\(result.truncated) contexts were cut at their beginning to fit the model")
    }
    if split != .common { Terminal.note("split: \(split.rawValue)") }
    Terminal.note("in brackets: \(ShareInterval.name)s")
    // 80 columns with the kinds of the built-in questions, of up to seven letters.
    let width = max(4, result.kinds.map { TextLayout.width($0.kind ?? "") }.max() ?? 0)
    func row(_ cells: [String]) -> String {
      let widths = [0, 6, 20, 20, 20, 7]
      return TextLayout.padded(cells[0], width)
        + zip(cells, widths).dropFirst().map { cell, width in
          String(repeating: " ", count: max(1, width - cell.count)) + cell
        }.joined()
    }
    try Terminal.line(row(["kind", "count", "acc, %", "acc_norm, %", "acc_bytes, %", "chance"]))
    for group in result.kinds + [total] {
      try Terminal.line(
        row([
          group.kind ?? "all", "\(group.count)", percent(group.byTotal),
          percent(group.byCharacter), percent(group.byByte),
          String(format: "%.1f", 100 * group.chance),
        ]))
    }
    // llama-perplexity's line; its error says nothing where all or none are right, the interval
    // does.
    var final = String(format: "Final result: %.4f", 100 * total.accuracy.value)
    if total.accuracy.error > 0 {
      final += String(format: " +/- %.4f", 100 * total.accuracy.error)
    }
    if let interval = total.byTotal.interval {
      final += String(
        format: " (%@: %.4f to %.4f)", ShareInterval.name, 100 * interval.lower,
        100 * interval.upper)
    }
    try Terminal.line(final)
    try Terminal.line(String(format: "Random chance: %.4f", 100 * total.chance))
  }

  /// A kind of questions in JSON; `undefined` says why a figure is null.
  private static func record(_ group: TaskAccuracy) -> JSONValue {
    var fields: [(key: String, value: JSONValue)] = [
      ("kind", JSONValue(group.kind.map { JSONValue.string($0) })),
      ("count", JSONValue(group.count)),
    ]
    for (name, share) in [
      ("acc", group.byTotal), ("acc_norm", group.byCharacter), ("acc_bytes", group.byByte),
    ] {
      fields += [
        (name, JSONValue(share.estimate.value)),
        ("\(name)_stderr", JSONValue(share.estimate.error)),
        ("\(name)_lower", JSONValue(share.interval.map { JSONValue($0.lower) })),
        ("\(name)_upper", JSONValue(share.interval.map { JSONValue($0.upper) })),
      ]
    }
    fields.append(("chance", JSONValue(group.chance)))
    if group.count < 2 {
      fields.append(
        (
          "undefined",
          .object(
            ["acc_stderr", "acc_norm_stderr", "acc_bytes_stderr"].map {
              (key: $0, value: "one question has no spread")
            })
        ))
    }
    return .object(fields)
  }

  /// `71.5 [66.9, 75.7]`.
  private static func percent(_ share: TaskShare) -> String {
    let value = String(format: "%.1f", 100 * share.estimate.value)
    guard let interval = share.interval else { return value }
    return value + String(format: " [%.1f, %.1f]", 100 * interval.lower, 100 * interval.upper)
  }
}
