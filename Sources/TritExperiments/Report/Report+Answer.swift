internal import TritEvaluation

/// What a report begins with.
struct ReportAnswer {
  /// The answer in one sentence.
  var sentence: String
  /// What else a reader must know, a sentence each.
  var more: [String] = []
}

extension Report {
  /// The answer to the experiment's question, made of the records: which variant is best by what
  /// was measured, and how far the reference is. nil where nothing was measured that has a better
  /// and a worse.
  var answer: ReportAnswer? {
    let done = variants.filter { $0.status == .finished }
    let failed = variants.count - done.count
    var more: [String] = []
    if failed > 0, !wasInterrupted {
      more.append("\(failed) of \(variants.count) variants failed and are not counted.")
    }
    if let metric = SweepMetric.of(variants), let best = best(by: metric) {
      var answer = quality(metric, best)
      answer.more += more
      return answer
    }
    if let energy = energyAnswer { return ReportAnswer(sentence: energy, more: more) }
    return nil
  }

  private func best(by metric: SweepMetric) -> RunRecord? {
    let known = variants.filter { metric.value($0) != nil }
    return metric.lessIsBetter
      ? known.min { (metric.value($0) ?? 0) < (metric.value($1) ?? 0) }
      : known.max { (metric.value($0) ?? 0) < (metric.value($1) ?? 0) }
  }

  private func quality(_ metric: SweepMetric, _ best: RunRecord) -> ReportAnswer {
    let known = variants.filter { metric.value($0) != nil }
    let equal = known.filter { metric.value($0) == metric.value(best) }
    let others = equal.count - 1
    var sentence = best.label
    if others > 0 { sentence += " (and \(others) with the same figure)" }
    let superlative = metric.lessIsBetter ? "the lowest" : "the highest"
    sentence += known.count == 1 ? " has " : " \(others > 0 ? "have" : "has") \(superlative) "
    sentence += "\(metric.name)\(known.count == 1 ? "" : " of \(known.count) variants"): "
    sentence += metric.text(best)
    if let evidence = compared(metric) {
      if let own = evidence.list.first(where: {
        $0.record.id == best.id && $0.record.index == best.index
      }) {
        sentence += ", \(own.cell.replacing("≈ ", with: "")) against \(evidence.baseline)"
        sentence += own.isClear ? "" : own.difference.isIdentical ? "" : ": not told apart from it"
      } else if best.label == evidence.baseline {
        sentence += ", and is what the others are compared with"
      }
      return ReportAnswer(
        sentence: sentence + ".", more: verdicts(evidence) + [speedSentence].compactMap { $0 })
    }
    if let reference, metric.value(reference) != nil {
      sentence += "; the reference has \(metric.text(reference))"
    }
    sentence += "."
    var more: [String] = []
    let near = known.filter { record in
      guard let own = metric.ends(record), let top = metric.ends(best), record.id != best.id,
        metric.value(record) != metric.value(best)
      else { return false }
      return own.lower <= top.upper && top.lower <= own.upper
    }
    if !near.isEmpty {
      more.append(
        "Within its error lie also: \(Self.some(near.map(\.label))). Figures of one text err together: "
          + "overlapping errors do not say that two variants are equal, nor that they differ.")
    }
    if metric.key != "speed.decode.tokens_per_second", let speed = speedSentence {
      more.append(speed)
    }
    return ReportAnswer(sentence: sentence, more: more)
  }

  /// The comparisons with the baseline in the quantity of a metric; nil where there are none with
  /// an interval.
  private func compared(_ metric: SweepMetric) -> (baseline: String, list: [PairedComparison])? {
    guard let quantity = pairedQuantities.first(where: { $0.metric == metric.key }), let baseline
    else { return nil }
    let list = differences(quantity)
    return list.contains { $0.adjusted != nil || $0.difference.isIdentical }
      ? (baseline.label, list) : nil
  }

  /// Who is better, worse, equal and not to be told apart, a sentence each.
  private func verdicts(_ evidence: (baseline: String, list: [PairedComparison])) -> [String] {
    let words = [
      ("better", "Better than \(evidence.baseline)"), ("worse", "Worse than \(evidence.baseline)"),
      ("not told apart", "Not told apart from \(evidence.baseline)"),
      ("identical", "Identical to \(evidence.baseline)"), ("no interval", "Without an interval"),
    ]
    return words.compactMap { verdict, text in
      let own = evidence.list.filter { $0.verdict == verdict }
      guard !own.isEmpty else { return nil }
      return "\(text): \(Self.some(own.map { "\($0.record.label) (\($0.valueText))" }))."
    }
  }

  /// The first labels of a list.
  static func some(_ labels: [String], most: Int = 6) -> String {
    let rest = labels.count - most
    return labels.prefix(most).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private var speedSentence: String? {
    func speed(_ record: RunRecord) -> Double? {
      PlotData.finite(record.metrics["speed.decode.tokens_per_second"])
    }
    let known = variants.filter { (speed($0) ?? 0) > 0 }
    guard known.count > 1, let best = known.max(by: { (speed($0) ?? 0) < (speed($1) ?? 0) }),
      let fastest = speed(best)
    else { return nil }
    var text =
      "Fastest at writing: \(best.label), \(Figures.plain(fastest.rounded())) tokens a second"
    if let reference, let base = speed(reference), base > 0 {
      text += ", \(Figures.plain(((fastest / base) * 10).rounded() / 10)) times the reference"
    }
    return text + (known.contains(where: \.isSpeedDisturbed) ? " (others used the machine)." : ".")
  }

  private var energyAnswer: String? {
    let key = "energy.total.7nm_picojoules"
    let known = variants.filter { PlotData.finite($0.metrics[key]) != nil }
    guard let best = known.min(by: { ($0.metrics[key] ?? 0) < ($1.metrics[key] ?? 0) }) else {
      return nil
    }
    var text = "\(best.label) needs the least arithmetic energy of \(known.count) variants: "
    text += "\(Figures.plain((best.metrics[key] ?? 0) * 1e-6)) µJ a token at 7 nm"
    if let base = reference?.metrics[key], base.isFinite {
      text += "; the reference needs \(Figures.plain(base * 1e-6)) µJ"
    }
    return text + "."
  }
}

extension SweepMetric {
  /// `2.148 ± 0.042`, `56.7 % (48.7–64.3)`.
  func text(_ record: RunRecord) -> String {
    guard let value = value(record) else { return "no figure" }
    if key == "tasks.accuracy" {
      return Report.interval(record, key).map { Figures.share(value / scale, $0) }
        ?? Figures.share(value / scale)
    }
    let text = Figures.text(value, error: errorKey.flatMap { Report.error(record, $0) })
    switch key {
    case "speed.decode.tokens_per_second": return text + " tokens a second"
    case "divergence.kld.mean": return text + " nats a token"
    case "generate.agreement.tokens": return text + " tokens"
    default: return text
    }
  }
}
