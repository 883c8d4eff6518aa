internal import Foundation
internal import TritCore

/// A published figure beside what was measured.
public struct PublishedResult: Sendable {
  /// What the comparison came to.
  public enum Verdict: String, Sendable {
    /// Within the tolerance.
    case pass = "PASS"
    /// Outside it, or not measured though everything was at hand.
    case fail = "FAIL"
    /// Model or data are not at hand.
    case absent
  }

  /// The variant's label.
  public let label: String
  /// What was published.
  public let figure: PublishedFigure
  /// What it came to.
  public let verdict: Verdict
  /// What was measured; nil where nothing was.
  public let measured: Double?
  /// Why it is absent or failed without a figure, and what to do; empty where a figure tells.
  public let reason: String
}

extension Report {
  /// Every published figure of the plan with its verdict, in the order of the file; empty where the
  /// file has none.
  public var published: [PublishedResult] {
    plan.all.flatMap { variant in
      variant.published.compactMap { figure in
        let absent = plan.absent.variants.first { $0.variant.index == variant.index }
        // What the caller did not select is nobody's verdict.
        guard absent != nil || plan.variants.contains(where: { $0.index == variant.index }) else {
          return nil
        }
        return result(figure, of: variant, absent: absent?.reason)
      }
    }
  }

  private func result(
    _ figure: PublishedFigure, of variant: PlannedVariant, absent: LabError?
  ) -> PublishedResult {
    func told(
      _ verdict: PublishedResult.Verdict, _ value: Double? = nil, _ reason: String = ""
    ) -> PublishedResult {
      PublishedResult(
        label: variant.label, figure: figure, verdict: verdict, measured: value, reason: reason)
    }
    if let absent { return told(.absent, nil, Self.words(absent)) }
    if let section = plan.absent.sections.first(where: { $0.key == figure.section }) {
      return told(.absent, nil, Self.words(section.reason))
    }
    guard let record = records.first(where: { $0.index == variant.index && $0.id == variant.id })
    else { return told(.fail, nil, "the run ended before it was measured: run it again") }
    do {
      guard let value = try value(figure, of: record) else {
        let first = record.error?.split(separator: "\n").first.map(String.init)
        let known = record.metrics.keys.filter { $0.hasPrefix(figure.section + ".") }.sorted()
        let why =
          first ?? Suggestion.didYouMean(figure.metric, known)
          ?? "there are: " + known.prefix(12).joined(separator: ", ")
        return told(.fail, nil, "the record has no such figure; \(why)")
      }
      // What is no number is outside every tolerance.
      return told(abs(value - figure.value) <= figure.tolerance ? .pass : .fail, value)
    } catch {
      return told(.fail, nil, (error as? LabError).map(Self.words) ?? "\(error)")
    }
  }

  /// The measured figure; of some windows from their losses.
  private func value(_ figure: PublishedFigure, of record: RunRecord) throws -> Double? {
    guard let windows = figure.windows else { return record.metrics[figure.metric] }
    let table = try SampledRecord(record, in: directory).tables[figure.section]
    guard let loss = table?.columns["loss"], let tokens = table?.columns["tokens"],
      loss.count == tokens.count, loss.count >= windows
    else {
      throw LabError(
        .badData, "the run has fewer windows than the figure is over", expected: "\(windows)",
        got: "\(table?.columns["loss"]?.count ?? 0)", advice: "measure more windows (chunks)")
    }
    let sum = zip(loss, tokens).prefix(windows).reduce(0) { $0 + $1.0 * $1.1 }
    return exp(sum / tokens.prefix(windows).reduce(0, +))
  }

  /// A heading, and a row for each figure; empty where the file has none.
  var publishedTable: [[String]] {
    let results = published
    guard !results.isEmpty else { return [] }
    return [["Model", "Figure", "It is", "Measured", "Published", "Tolerance", "Source"]]
      + results.map { one in
        [
          one.label, one.figure.title, one.verdict.rawValue,
          one.measured.map(Figures.plain) ?? "–", Figures.plain(one.figure.value),
          "± " + Figures.plain(one.figure.tolerance), one.figure.source,
        ]
      }
  }

  /// How many passed, failed and are absent, and why those without a figure have none: a sentence
  /// each.
  var publishedNotes: [String] {
    let results = published
    guard !results.isEmpty else { return [] }
    func count(_ verdict: PublishedResult.Verdict) -> Int {
      results.count { $0.verdict == verdict }
    }
    var notes = [
      "Published figures: \(count(.pass)) PASS, \(count(.fail)) FAIL, \(count(.absent)) absent."
    ]
    var told: Set<String> = []
    for one in results where !one.reason.isEmpty {
      // A section that lacks its data says the same of every model.
      let isSection =
        plan.absent.sections.contains { $0.key == one.figure.section }
        && !plan.absent.variants.contains { $0.variant.label == one.label }
      let what =
        one.verdict == .absent
        ? "absent: \(isSection ? "measure.\(one.figure.section)" : one.label)"
        : "FAIL: \(one.label), \(one.figure.title)"
      let text = "\(what): \(one.reason)"
      if told.insert(text).inserted { notes.append(text) }
    }
    for section in plan.absent.sections {
      let text = "absent: measure.\(section.key): \(Self.words(section.reason))"
      if told.insert(text).inserted { notes.append(text) }
    }
    return notes
  }

  private static func words(_ error: LabError) -> String {
    [error.what + (error.place.map { " (\($0))" } ?? ""), error.advice]
      .compactMap(\.self).joined(separator: "; ")
  }

  /// A line for each figure, for a terminal.
  var publishedLines: [String] {
    published.map { one in
      let measured = one.measured.map { "\(Figures.plain($0)), " } ?? ""
      return
        "\(one.verdict.rawValue) \(one.label), \(one.figure.title): \(measured)published "
        + "\(Figures.plain(one.figure.value)) ± \(Figures.plain(one.figure.tolerance))"
    }
  }
}
