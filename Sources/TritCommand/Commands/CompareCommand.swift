import TritLab

/// `trit compare`: differences between runs, in pairs, with their error.
enum CompareCommand {
  static let runs = ArgumentSpec(
    "run",
    help: "Run directories, RUN:VARIANT, or files of --samples; the first is the baseline",
    completion: Completion(files: .any), repeats: true)
  static let baseline = OptionSpec(
    "--baseline", value: "variant", help: "The variant of the first run that differences are to")
  static let quantity = OptionSpec(
    "--of", value: "quantity",
    help:
      "Compare in this alone, as perplexity, tasks, tasks.avg5, tasks.hellaswag.acc; may be repeated"
  )
  static let tolerance = OptionSpec(
    "--tolerance", value: "amount",
    help: "End with code 2 where one is worse by more than this, in the unit of the quantity")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "compare", context, overview: "Compare variants within and across runs, in pairs.",
      discussion: """
        Both runs saw the same windows of text or the same questions, so that what is hard for both cancels: the \
        difference has an error of its own, often a tenth of that of either figure. One run alone is compared with its \
        baseline; two runs by variants of one name; RUN:VARIANT names one; a file that 'trit perplexity' or \
        'trit tasks' wrote with --samples stands for one. Intervals are Student's over windows and Newcombe's for \
        questions, p is corrected by Holm where there are several comparisons.

        --tolerance makes it a gate: code 2 where a variant is worse than its baseline by more than that (perplexity in \
        percent, tasks in points, divergence in nats). The same text gives the same losses, so the figure is exact for \
        this text; the interval says what it means for others.
        """,
      arguments: [runs],
      groups: [OptionGroup("OPTIONS", [baseline, quantity, tolerance])],
      json: "one object: comparisons, problems, tolerance, worse",
      examples: [
        ("trit compare runs/quickstart", "the newest run: each variant with the reference"),
        (
          "trit compare runs/study/OLD runs/study/NEW --tolerance 0.5",
          "a gate: variants of one name"
        ),
        ("trit compare runs/a/RUN:i2_s runs/b/RUN:tl2 --of perplexity", "two variants"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let all = arguments.lab.measures.flatMap(\.quantities)
    let wanted = arguments.all(quantity)
    let keys = all.map(\.key)
    for name in wanted where !keys.contains(name) && !PairedQuantity.isOfPart(name, all) {
      throw LabError(
        .usage, "no measure tells '\(name)' unit by unit", at: "--of",
        expected: keys.joined(separator: " | ") + " | tasks.TASK | tasks.TASK.METRIC", got: name,
        advice: Suggestion.didYouMean(name, keys))
    }
    let limit = try arguments.real(tolerance, in: 0...1e6)
    let pairs = try RunComparison.pairs(
      arguments.arguments, baseline: arguments.text(baseline))
    let evidence = PairedEvidence(pairs, quantities: all, asked: wanted.isEmpty ? nil : wanted)
    let found = evidence.byQuantity.flatMap(\.list)
    let keysFound = evidence.byQuantity.map(\.quantity.key)
    if evidence.problems.isEmpty, let lost = wanted.first(where: { !keysFound.contains($0) }) {
      let told = PairedQuantity.keys(all, pairs)
      throw LabError(
        .badData, "the runs do not both tell '\(lost)'", at: "--of",
        expected: told.isEmpty ? "runs that measured it" : told.joined(separator: " | "), got: lost,
        advice: Suggestion.didYouMean(lost, told))
    }
    guard !found.isEmpty else {
      let why = evidence.problems.map { "\($0.label): \($0.text)" }.joined(separator: "\n       ")
      throw LabError(
        .badData, "nothing could be compared in pairs",
        expected: "runs over the same text or questions", got: why.isEmpty ? nil : why,
        advice: "measure both with the same data, protocol and context")
    }
    let worse = limit.map { limit in found.filter { $0.loss > limit } } ?? []
    if arguments.isJSON {
      try Terminal.json(document(found, evidence.problems, limit, worse.count))
    } else {
      try show(evidence.shown, evidence.problems, style: try Style.out(arguments))
    }
    guard worse.isEmpty else {
      throw LabError(
        .verdict, "\(worse.count) of \(found.count) comparisons are worse than the tolerance",
        expected: "at most \(limit ?? 0) in the unit of each quantity",
        got: worse.map { "\($0.record.label), \($0.quantity.title.lowercased()): \($0.cell)" }
          .joined(separator: "\n       "),
        advice: "look at the runs, or allow more with --tolerance")
    }
  }

  private static func show(
    _ found: [PairedComparison], _ problems: [(label: String, text: String)], style: Style
  ) throws {
    let rows = PairedComparison.table(found)
    guard let heading = rows.first else { return }
    let table = TextTable(
      heading: heading[0], labels: rows.dropFirst().map { $0[0] },
      columns: heading.indices.dropFirst().map { column in
        TextTable.Column(
          title: heading[column], cells: rows.dropFirst().map { $0[column] },
          // What it comes to is wanted before how it was found.
          rank: column == heading.count - 1 ? 2 : 2 * column)
      })
    let (lines, leftOut) = table.lines(width: Terminal.width, style: style)
    for line in lines { try Terminal.line(line) }
    var notes = problems.map { "\($0.label): \($0.text)" }
    if !leftOut.isEmpty {
      notes.append(
        "not shown for want of room (--json has all): " + leftOut.joined(separator: "; "))
    }
    if !notes.isEmpty { try Terminal.line() }
    for note in notes {
      for line in TextLayout.wrap(note, width: Terminal.width) { try Terminal.line(line) }
    }
  }

  private static func document(
    _ found: [PairedComparison], _ problems: [(label: String, text: String)], _ limit: Double?,
    _ worse: Int
  ) -> JSONValue {
    [
      "comparisons": .array(found.map(document)),
      "problems": .array(
        problems.map { ["variant": .string($0.label), "text": .string($0.text)] }),
      "tolerance": limit.map { JSONValue($0) } ?? .null, "worse": JSONValue(worse),
    ]
  }

  private static func document(_ one: PairedComparison) -> JSONValue {
    let difference = one.difference
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { $0.isFinite ? JSONValue($0) : nil } ?? .null
    }
    func interval(_ value: Interval?) -> JSONValue {
      value.map { [number($0.lower), number($0.upper)] } ?? .null
    }
    return [
      "variant": .string(one.record.label), "variant_id": .string(one.record.id),
      "baseline": .string(one.baseline.label), "baseline_id": .string(one.baseline.id),
      "quantity": .string(one.quantity.key), "unit": .string(one.quantity.unit),
      "lower_is_better": .bool(one.quantity.lowerIsBetter), "value": number(difference.value),
      "interval": interval(difference.interval), "bootstrap": interval(difference.bootstrap),
      "error": number(difference.error), "p": number(difference.p), "p_holm": number(one.adjusted),
      "units": JSONValue(difference.units), "clusters": JSONValue(difference.clusters),
      "method": .string(difference.method.rawValue),
      "right_to_wrong": difference.flips.map { JSONValue($0.rightToWrong) } ?? .null,
      "wrong_to_right": difference.flips.map { JSONValue($0.wrongToRight) } ?? .null,
      "verdict": .string(one.verdict),
    ]
  }
}
