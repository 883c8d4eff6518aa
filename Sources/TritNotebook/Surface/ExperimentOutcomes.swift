import Foundation
public import TritCore
public import TritDrawing
public import TritExperiments

/// What experiments of this notebook came to.
enum ExperimentOutcomes {
  /// By the name of the experiment, in the order of running.
  nonisolated(unsafe) private static var all: [(name: String, outcome: RunOutcome)] = []
  /// Directories of those that the running cell has shown.
  nonisolated(unsafe) private static var shown: Set<String> = []

  static func beginCell() { shown = [] }

  static func add(_ outcome: RunOutcome, isShown: Bool) {
    let name = outcome.records.first?.experiment ?? ""
    all.removeAll { $0.name == name }
    all.append((name, outcome))
    if isShown { shown.insert(outcome.directory) }
  }

  static func isShown(_ outcome: RunOutcome) -> Bool { shown.contains(outcome.directory) }

  static func find(_ name: String?) throws -> RunOutcome {
    guard let name else {
      if let last = all.last { return last.outcome }
      throw LabError(
        .missingInput, "no experiment of this notebook has run",
        expected: "a cell of 'yaml experiment', or experiment(…), before this one",
        advice: "run that cell first")
    }
    if let found = all.last(where: { $0.name == name }) { return found.outcome }
    let names = all.map(\.name)
    throw LabError(
      .missingInput, "no experiment '\(VisibleText.line(name))' of this notebook has run",
      expected: names.isEmpty ? "one that has run before" : names.joined(separator: ", "),
      advice: Suggestion.didYouMean(name, names) ?? "run its cell first")
  }
}

/// What the experiment `name` of this notebook came to, whether a cell of YAML ran it or
/// `experiment(…)`; without a name the one that ran last. Shown as a value it is its table and its
/// figures.
///
/// ```
/// let mine = try experimentOutcome("quantizers")
/// Plot("perplexity").bars(mine.labels, try mine.values("perplexity.value"))
/// ```
///
/// Throws `missingInput` with the names of those that ran where there is none.
public func experimentOutcome(_ name: String? = nil) throws -> RunOutcome {
  try ExperimentOutcomes.find(name)
}

extension RunOutcome {
  /// The variants, the reference first where there is one, in the order of `values`.
  public var labels: [String] { records.map(\.label) }

  /// A figure of every variant, in the order of `labels`: `perplexity.value`,
  /// `speed.decode.tokens_per_second`…; NaN where a variant does not have it. Throws a usage error
  /// with the names of figures where none has it.
  public func values(_ metric: String) throws -> [Double] {
    let known = Set(records.flatMap(\.metrics.keys)).sorted()
    guard known.contains(metric) else {
      throw LabError(
        .usage, "no variant of the experiment has the figure '\(VisibleText.line(metric))'",
        expected: known.isEmpty ? "figures; it has none" : known.joined(separator: ", "),
        advice: Suggestion.didYouMean(metric, known), code: .unknownName)
    }
    return records.map { $0.metrics[metric] ?? .nan }
  }

  /// Its variants and their figures, as the run prints them.
  public var table: Table {
    Table(
      ["variant"] + brief.columns.map(\.title),
      brief.labels.enumerated().map { row, label in
        [label] + brief.columns.map { row < $0.cells.count ? $0.cells[row] : "" }
      })
  }

  /// The names of the figures that were drawn.
  public var plotNames: [String] { drawn.map(\.name) }

  /// A figure that was drawn: `quality-vs-bits`. Throws `missingInput` with the names of those
  /// that are there.
  public func plot(_ name: String) throws -> SVGImage {
    guard let file = drawn.first(where: { $0.name == name })?.file,
      let svg = WholeFile.text(directory + "/" + file, limit: .configuration)
    else {
      throw LabError(
        .missingInput, "the experiment has no figure '\(VisibleText.line(name))'", at: directory,
        expected: plotNames.isEmpty
          ? "figures; it has none: plots: […] in the experiment asks for them, gnuplot draws them"
          : plotNames.joined(separator: ", "),
        advice: Suggestion.didYouMean(name, plotNames))
    }
    return SVGImage(svg, plain: "figure \(name): \(directory)/\(file)")
  }

  private var drawn: [(name: String, file: String)] {
    files.sorted().filter { $0.hasSuffix(".svg") }.map {
      ((($0 as NSString).lastPathComponent as NSString).deletingPathExtension, $0)
    }
  }

  func showFigures() {
    for name in plotNames {
      if let figure = try? plot(name) { display(figure) }
    }
  }
}

/// In a notebook the outcome of an experiment is its table.
extension RunOutcome: Displayable {
  /// The table.
  public var displayData: DisplayData { table.displayData }
}
