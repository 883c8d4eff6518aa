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
    let context = try arguments.integer(PerplexityCommand.context, in: 2...(1 << 24))
    let selection = try StageOptions.selection(arguments)
    let data = try TaskDataset.load(name, limit: limit)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    let trained = checkpoint.configuration.contextLength
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection,
      options: ModelOptions.engineOptions(
        arguments, trained: trained, context: context ?? min(trained, 4096)))
    EngineLoader.announce(engine)
    Terminal.note("questions: \(name), \(data.tasks.count)")
    let printer = ProgressPrinter("tasks", value: "acc")
    let result = try TaskEvaluation.measure(engine, tasks: data.tasks, progress: printer.show)
    try report(result, arguments)
  }

  private static func report(_ result: TaskResult, _ arguments: ParsedArguments) throws {
    let total = result.total
    if arguments.flag(PerplexityCommand.json) {
      func record(_ group: TaskAccuracy) -> JSONValue {
        [
          "kind": JSONValue(group.kind.map { JSONValue.string($0) }),
          "count": JSONValue(group.count),
          "acc": JSONValue(group.accuracy.value), "acc_stderr": JSONValue(group.accuracy.error),
          "acc_norm": JSONValue(group.normalizedAccuracy.value),
          "acc_norm_stderr": JSONValue(group.normalizedAccuracy.error),
          "chance": JSONValue(group.chance),
        ]
      }
      let document: JSONValue = [
        "all": record(total), "kinds": .array(result.kinds.map(record)),
        "truncated": JSONValue(result.truncated), "tokens_run": JSONValue(result.tokensRun),
        "seconds": JSONValue(result.seconds),
      ]
      return try Terminal.line(JSONWriter.text(document, pretty: true))
    }
    Terminal.note(
      String(
        format: "%d questions, %d tokens run of %d (the cache held the others), %.2f s",
        total.count, result.tokensRun, result.tokensScored, result.seconds))
    if result.truncated > 0 {
      Terminal.note("\(result.truncated) contexts were cut at their beginning to fit the model")
    }
    let width = max(8, result.kinds.map { $0.kind?.count ?? 0 }.max() ?? 0)
    func row(_ cells: [String]) -> String {
      let first = cells[0].padding(toLength: width, withPad: " ", startingAt: 0)
      return first
        + cells.dropFirst().map { String(repeating: " ", count: max(1, 16 - $0.count)) + $0 }
        .joined()
    }
    try Terminal.line(row(["kind", "questions", "acc, %", "acc_norm, %", "chance, %"]))
    for group in result.kinds + [total] {
      try Terminal.line(
        row([
          group.kind ?? "all", "\(group.count)", percent(group.accuracy),
          percent(group.normalizedAccuracy), String(format: "%.1f", 100 * group.chance),
        ]))
    }
    try Terminal.line(
      String(
        format: "Final result: %.4f +/- %.4f", 100 * total.accuracy.value,
        total.accuracy.error.isNaN ? 0 : 100 * total.accuracy.error))
    try Terminal.line(String(format: "Random chance: %.4f", 100 * total.chance))
  }

  private static func percent(_ value: Estimate) -> String {
    value.error.isNaN
      ? String(format: "%.1f", 100 * value.value)
      : String(format: "%.1f +/- %.1f", 100 * value.value, 100 * value.error)
  }
}
