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
    help:
      "End with code 2 where one is worse by more than this, in the unit of the quantity; QUANTITY=AMOUNT for one"
  )

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
        percent, tasks in points, divergence in nats; --tolerance perplexity=0.5 --tolerance divergence=0.001 says it for \
        each), and code 65 where something that the baseline has could not be compared. The same text gives the same losses, so the figure is exact for \
        this text; the interval says what it means for others.
        """,
      arguments: [runs],
      groups: [OptionGroup("OPTIONS", [baseline, quantity, tolerance])],
      json: "one object: comparisons, power, problems, tolerance, worse",
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
    let gate = try CompareGate(arguments.all(tolerance))
    // Those of single tasks are of the questions of their measure.
    let quantities = all.filter { one in
      wanted.isEmpty || wanted.contains { $0 == one.key || $0.hasPrefix(one.section + ".") }
    }
    let comparison = try RunComparison(
      arguments.arguments, baseline: arguments.text(baseline))
    let evidence = PairedEvidence(
      comparison.pairs, quantities: all, asked: wanted.isEmpty ? nil : wanted)
    var found = evidence.byQuantity.flatMap(\.list)
    // Figures of tasks that nobody shows unasked.
    let further = (gate?.named ?? []).map(\.key).filter { key in
      PairedQuantity.isOfPart(key, all) && !found.contains { $0.quantity.key == key }
    }
    if !further.isEmpty {
      found += PairedEvidence(comparison.pairs, quantities: all, asked: further).byQuantity
        .flatMap(\.list)
    }
    let unmet = wanted.filter { name in !found.contains { $0.quantity.key == name } }
      .map { (label: $0, text: "no two runs tell it") }
    // Where tolerances name quantities, no other is guarded.
    let guarded = quantities.filter { gate?.guards($0.key) ?? true }
    let (lost, told) = (comparison.vanished(guarded), comparison.vanished(quantities))
    let problems = evidence.problems.filter { problem in
      guarded.contains { problem.text.hasPrefix($0.section + ":") }
    }
    let lacking = Self.joined(comparison.missing + lost + problems + unmet)
    let notes = Self.joined(
      comparison.missing + told + evidence.problems + unmet + comparison.unmatched)
    guard !found.isEmpty else {
      let why = notes.map { "\($0.label): \($0.text)" }.joined(separator: "\n       ")
      throw LabError(
        .badData, "nothing could be compared in pairs",
        expected: "two or more over the same text or questions",
        got: why.isEmpty ? "one without another" : why,
        advice: "measure both with the same data, protocol and context")
    }
    try gate?.check(found, known: all)
    let power = evidence.byQuantity.map(\.quantity).compactMap { quantity in
      evidence.powerText(quantity).map { (key: quantity.key, text: $0) }
    }
    if arguments.isJSON {
      try Terminal.json(document(found, notes, power, gate))
    } else {
      // The first quantity of each measure: the others are of the same text.
      var sections: Set<String> = []
      let leading = evidence.byQuantity.map(\.quantity)
        .filter { sections.insert($0.section).inserted }.map(\.key)
      let shown = power.filter { leading.contains($0.key) }
      try show(evidence.shown, notes, shown.map(\.text), style: try Style.out(arguments))
    }
    try gate?.judge(found, lacking: lacking.map { "\($0.label): \($0.text)" })
  }

  /// Problems of one text together: `a, b, c: text`.
  private static func joined(
    _ problems: [(label: String, text: String)]
  ) -> [(label: String, text: String)] {
    var order: [String] = []
    var labels: [String: [String]] = [:]
    for (label, text) in problems {
      if labels[text] == nil { order.append(text) }
      if labels[text]?.contains(label) != true { labels[text, default: []].append(label) }
    }
    return order.map { text in
      let all = labels[text] ?? []
      let more = all.count > 6 ? " and \(all.count - 6) more" : ""
      return (all.prefix(6).joined(separator: ", ") + more, text)
    }
  }

  /// Columns in the order in which they are wanted; the difference without its interval is half an
  /// answer.
  private static let wantedColumns = [
    "Of", "Difference", "95 % interval", "It is", "Run", "Baseline", "p by Holm", "right→wrong",
    "wrong→right", "p", "by bootstrap",
  ]

  private static func show(
    _ found: [PairedComparison], _ problems: [(label: String, text: String)], _ power: [String],
    style: Style
  ) throws {
    let rows = PairedComparison.table(found)
    guard let heading = rows.first else { return }
    let table = TextTable(
      heading: heading[0], labels: rows.dropFirst().map { $0[0] },
      columns: heading.indices.dropFirst().map { column in
        TextTable.Column(
          title: heading[column], cells: rows.dropFirst().map { $0[column] },
          rank: wantedColumns.firstIndex(of: heading[column]) ?? wantedColumns.count)
      })
    let (lines, leftOut) = table.lines(width: Terminal.width, style: style)
    for line in lines { try Terminal.line(line) }
    var notes = problems.map { "\($0.label): \($0.text)" } + power
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
    _ found: [PairedComparison], _ problems: [(label: String, text: String)],
    _ power: [(key: String, text: String)], _ gate: CompareGate?
  ) -> JSONValue {
    var tolerance = gate?.standard.map { JSONValue($0) } ?? .null
    if let gate, !gate.named.isEmpty {
      let keys = Set(found.map(\.quantity.key)).sorted()
      tolerance = .object(
        keys.map { key in (key, gate.limit(key).map { JSONValue($0) } ?? .null) })
    }
    return [
      "comparisons": .array(found.map(document)),
      "power": .array(power.map { ["quantity": .string($0.key), "text": .string($0.text)] }),
      "problems": .array(
        problems.map { ["variant": .string($0.label), "text": .string($0.text)] }),
      "tolerance": tolerance, "worse": JSONValue(gate?.worse(found).count ?? 0),
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
      "run": one.runs.map { .string($0.variant) } ?? .null,
      "baseline": .string(one.baseline.label), "baseline_id": .string(one.baseline.id),
      "baseline_run": one.runs.map { .string($0.baseline) } ?? .null,
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
