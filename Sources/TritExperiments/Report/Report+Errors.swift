internal import TritEvaluation

extension Report {
  /// The error of a figure that is drawn and shown: the larger of the one that takes tokens as
  /// independent and the one by the spread between windows, whose name has `window_` before
  /// `error`. nil where there is neither.
  public static func error(_ record: RunRecord, _ key: String) -> Double? {
    var errors = [record.metrics[key]]
    if key.hasSuffix("error") {
      errors.append(record.metrics[key.dropLast("error".count) + "window_error"])
    }
    return errors.compactMap { PlotData.finite($0) }.max()
  }

  /// Where a share may lie: what the record says, else Wilson's interval for its count; nil where
  /// neither is known.
  public static func interval(_ record: RunRecord, _ key: String) -> (lower: Double, upper: Double)?
  {
    if let lower = PlotData.finite(record.metrics[key + "_lower"]),
      let upper = PlotData.finite(record.metrics[key + "_upper"])
    {
      return (lower, upper)
    }
    let section = key.prefix { $0 != "." }
    let total = record.metrics["\(section).count"] ?? record.metrics["\(section).tokens"]
    guard let share = record.metrics[key], let total,
      let interval = ShareInterval(share: share, of: total)
    else { return nil }
    return (interval.lower, interval.upper)
  }

  /// Warnings of all records: the variant, the section, the text.
  var warnings: [(label: String, section: String, text: String)] {
    rows.flatMap { record in
      Warnings.of(record.facts).map { (record.label, $0.section, $0.text) }
    }
  }

  /// Warnings that say the same of several variants, figures apart, once: the first variant that has
  /// it, in how many others it is, and the words for the first.
  var groupedWarnings: [(label: String, others: Int, section: String, text: String)] {
    var groups: [(kind: String, labels: Set<String>, first: (String, String, String))] = []
    for warning in warnings {
      let kind = Warnings.kind(section: warning.section, text: warning.text)
      if let index = groups.firstIndex(where: { $0.kind == kind }) {
        groups[index].labels.insert(warning.label)
      } else {
        groups.append(
          (kind, [warning.label], (warning.label, warning.section, warning.text)))
      }
    }
    return groups.map { ($0.first.0, $0.labels.count - 1, $0.first.1, $0.first.2) }
  }

  /// ` and 3 others`; empty for none.
  static func others(_ count: Int) -> String {
    count == 0 ? "" : " and \(count) other\(count == 1 ? "" : "s")"
  }

  /// The kernels, head and cache that ran, a row for each variant, where any of them was left to
  /// `auto` or speeds were measured. Empty otherwise.
  var ranTable: [[String]] {
    let shown = rows.filter { $0.ran != nil }
    let isAsked = shown.contains { record in
      record.metrics["speed.decode.tokens_per_second"] != nil
        || ["kernel", "head", "cache"].contains { record.params[$0] == "auto" }
    }
    guard isAsked else { return [] }
    return [["Variant", "Kernel", "Head", "Cache"]]
      + shown.map { record in
        [record.label] + ["kernels", "head", "cache"].map { record.facts[$0] ?? "–" }
      }
  }
}

extension RunRecord {
  /// Whether others used the machine while speed was measured.
  var isSpeedDisturbed: Bool { facts[Warnings.key("speed")] != nil }

  /// The kernels that ran, and head and cache, after `auto` has picked; nil where the record does
  /// not tell.
  var ran: String? {
    facts["kernels"].map { kernels in
      [kernels, facts["head"].map { "head \($0)" }, facts["cache"].map { "cache \($0)" }]
        .compactMap(\.self).joined(separator: ", ")
    }
  }
}
