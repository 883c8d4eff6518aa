internal import TritEvaluation

extension Figures {
  /// `+0.32`, `−1.4`: a difference with its sign, as many digits as the half width of its interval
  /// allows.
  static func signed(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return plain(value) }
    if abs(value) >= 1e6 { return (value < 0 ? "−" : "+") + plain(abs(value)) }
    if digits > mostDigits {
      // Nobody counts seven zeros: `+3.2e-7`.
      return value == 0 ? "0" : (value < 0 ? "−" : "+") + plain(abs(value))
    }
    let text = fixed(abs(value), digits)
    guard text.contains(where: { $0 != "0" && $0 != "." }) else { return text }
    return (value < 0 ? "−" : "+") + text
  }

  /// Digits behind the point that are counted at a glance; beyond, `signed` writes powers of ten.
  private static let mostDigits = 5

  /// Digits behind the point that show two of `width`.
  static func digits(for width: Double) -> Int {
    guard width.isFinite, width > 0 else { return 2 }
    return max(1 - exponent(width), 0)
  }

  private static func exponent(_ value: Double) -> Int {
    var size = value
    var exponent = 0
    while size >= 10 { (size, exponent) = (size / 10, exponent + 1) }
    while size < 1 { (size, exponent) = (size * 10, exponent - 1) }
    return exponent
  }

  /// `0.031`, `< 0.0001`.
  static func probability(_ p: Double) -> String {
    p < 1e-4 ? "< 0.0001" : p >= 0.1 ? fixed(p, 2) : plain(p)
  }
}

extension PairedComparison {
  private var digits: Int {
    Figures.digits(
      for: difference.interval.map { ($0.upper - $0.lower) / 2 } ?? abs(difference.value) / 10)
  }

  /// `+0.32 %`.
  var valueText: String {
    difference.isIdentical
      ? "0 \(quantity.unit)"
      : "\(Figures.signed(difference.value, digits: digits)) \(quantity.unit)"
  }

  /// `+0.21 … +0.43`; a dash where there is none.
  var intervalText: String { text(difference.interval) }
  /// The same by bootstrap.
  var bootstrapText: String { text(difference.bootstrap) }

  private func text(_ interval: Interval?) -> String {
    guard let interval else { return "–" }
    return Figures.signed(interval.lower, digits: digits) + " … "
      + Figures.signed(interval.upper, digits: digits)
  }

  /// The cell of a table: `+0.32 % (+0.21 … +0.43)`; `≈` in front where it is not told apart.
  package var cell: String {
    if difference.isIdentical { return "identical" }
    guard difference.interval != nil else { return valueText }
    return (isClear ? "" : "≈ ") + "\(valueText) (\(intervalText))"
  }
}

extension PairedComparison {
  /// Comparisons in full, a heading and a row each; empty where there are none.
  package static func table(_ all: [PairedComparison]) -> [[String]] {
    guard !all.isEmpty else { return [] }
    // A variant of another run with its own name says already what it is compared with.
    let hasBaselines =
      Set(all.map(\.baseline.label)).count > 1
      && all.contains { $0.baseline.label != $0.record.label }
    let hasBootstrap = all.contains { $0.difference.bootstrap != nil }
    let hasFlips = all.contains { $0.difference.flips != nil }
    let hasRuns = Set(all.compactMap(\.runs?.variant)).count > 1
    var heading = ["Variant"] + (hasRuns ? ["Run"] : []) + (hasBaselines ? ["Baseline"] : [])
    heading += ["Of", "Difference", "95 % interval"]
    if hasBootstrap { heading.append("by bootstrap") }
    heading += ["p", "p by Holm"]
    if hasFlips { heading += ["right→wrong", "wrong→right"] }
    heading.append("It is")
    return [heading]
      + all.map { one in
        var row = [one.record.label] + (hasRuns ? [one.runs?.variant ?? ""] : [])
        row += hasBaselines ? [one.baseline.label] : []
        row += [one.quantity.title, one.valueText, one.intervalText]
        if hasBootstrap { row.append(one.bootstrapText) }
        row.append(one.difference.p.map(Figures.probability) ?? "–")
        row.append(one.adjusted.map(Figures.probability) ?? "–")
        if hasFlips {
          row += [one.difference.flips?.rightToWrong, one.difference.flips?.wrongToRight]
            .map { $0.map { "\($0)" } ?? "–" }
        }
        return row + [one.verdict]
      }
  }
}

extension Report {
  /// The column of the figure of a task, or of a mean over tasks.
  func figureColumn(_ quantity: PairedQuantity) -> ReportColumn {
    ReportColumn(
      quantity.title, key: quantity.metric, error: "\(quantity.metric)_error", group: .quality,
      meaning: "\(quantity.title) of lm-evaluation-harness with its standard error."
    ) { Figures.share($0, error: $1) }
  }

  /// The column of differences of a quantity.
  func differenceColumn(_ quantity: PairedQuantity) -> ReportColumn {
    let base = baseline?.label ?? ""
    var column = ReportColumn(
      "\(quantity.title) vs \(base)", key: "difference.\(quantity.key)", group: .quality,
      meaning: "Difference of the \(quantity.name) to \(base) over the same "
        + "\(SampleTable.plural(evidence.sizes[quantity.key]?.unit ?? "unit")), with the 95 % interval of that difference; "
        + "≈ where the two cannot be told apart (p by Holm at least 0.05).")
    column.quantity = quantity
    return column
  }

  /// All differences in full, a row each; empty where nothing is compared.
  var differenceTable: [[String]] {
    PairedComparison.table(pairedQuantities.flatMap { differences($0) })
  }

  /// The heading over `differenceTable`.
  var differenceTitle: String { "Differences to \(baseline?.label ?? "the baseline")" }

  /// How the differences were made, what they could see, and what could not be compared: a sentence
  /// or two each.
  var differenceNotes: [String] {
    var notes: [String] = []
    let all = pairedQuantities.flatMap { differences($0) }
    if !all.isEmpty {
      var text =
        "Differences are paired: both runs saw the same units, and what is hard for both cancels."
      if all.contains(where: { $0.difference.method == .clusters }) {
        text += " Intervals are Student's over windows, or over documents where units share one"
        text += " (of a text, from \(PairedQuantity.leastDocuments) documents on)."
      }
      if all.contains(where: { $0.difference.method == .questions }) {
        text += " For questions they are Newcombe's, and p is McNemar's exact one."
      }
      if all.contains(where: { $0.difference.method == .tasks }) {
        text += " A mean over tasks has the errors of its tasks, put together as those of strata."
      }
      if all.contains(where: { $0.difference.bootstrap != nil }) {
        text +=
          " The bootstrap (BCa, \(PairedDifference.resamples) draws, seed \(PairedDifference.seed)) "
        text += "stands beside them where there are fewer than \(PairedDifference.smallCount)."
      }
      let most = pairedQuantities.map { differences($0).count }.max() ?? 0
      if most > 1 {
        text += " With \(most) variants compared at once, p is corrected by Holm."
      }
      notes.append(text)
    }
    notes += pairedQuantities.filter { $0.standing == .leading }
      .compactMap(evidence.pairs.powerText)
    let hidden = allQuantities.count - pairedQuantities.count
    if hidden > 0, pairedQuantities.contains(where: { $0.part != nil }) {
      notes.append("The differences of \(hidden) more tasks and figures are in differences.csv.")
    }
    notes += disagreements
    notes += evidence.problems.map { "\($0.label): \($0.text)." }
    return notes
  }

  /// Where the two intervals say different things about 0.
  private var disagreements: [String] {
    pairedQuantities.flatMap { differences($0) }.compactMap { one in
      guard let normal = one.difference.interval, let drawn = one.difference.bootstrap,
        normal.excludesZero != drawn.excludesZero
      else { return nil }
      let unit =
        one.difference.clusters < one.difference.units
        ? "document" : evidence.sizes[one.quantity.key]?.unit ?? "unit"
      return
        "\(one.record.label), \(one.quantity.name): one of the two intervals holds 0 and the other "
        + "does not; \(SampleTable.counted(one.difference.clusters, unit)) are too few to decide."
    }
  }

  /// `differences.csv`: every difference with all its figures, in full.
  var differencesCSV: String {
    var lines = [
      "variant,id,baseline,quantity,unit,value,lower,upper,error,bootstrap_lower,bootstrap_upper,p,p_holm,"
        + "units,clusters,method,right_to_wrong,wrong_to_right,verdict"
    ]
    for one in allQuantities.flatMap({ differences($0) }) {
      let difference = one.difference
      func number(_ value: Double?) -> String {
        value.map { $0.isFinite ? "\($0)" : "" } ?? ""
      }
      let fields = [
        one.record.label, one.record.id, baseline?.label ?? "", one.quantity.key, one.quantity.unit,
        number(difference.value), number(difference.interval?.lower),
        number(difference.interval?.upper), number(difference.error),
        number(difference.bootstrap?.lower), number(difference.bootstrap?.upper),
        number(difference.p), number(one.adjusted), "\(difference.units)",
        "\(difference.clusters)", difference.method.rawValue,
        difference.flips.map { "\($0.rightToWrong)" } ?? "",
        difference.flips.map { "\($0.wrongToRight)" } ?? "", one.verdict,
      ]
      lines.append(fields.map(ReportText.csv).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
