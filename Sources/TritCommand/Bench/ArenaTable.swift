import Foundation
import TritLab

/// Contests and boards for people, in the manner of the BLIS test suite.
struct ArenaTable {
  let style: Style

  /// One contest: a line a case, what failed, and the score.
  func print(_ result: ArenaResult) throws {
    let threads = result.threads == 1 ? "1 thread" : "\(result.threads) threads"
    let runs = result.runs.map { " (\($0))" } ?? ""
    let source = result.lines.first.map { $0.fromMemory ? ", from memory" : ", from caches" } ?? ""
    try Terminal.line(style.bold(result.kernel) + runs + ", \(threads)\(source), \(result.cpu)")
    let rivals = result.lines.first?.rivals.prefix(2).map(\.kernel) ?? []
    if !result.lines.isEmpty {
      try Terminal.line(
        style.faint(
          line(
            ["shape", "tokens", "Gop/s", "GB/s", "of the roof", "sums"]
              + rivals.map { TextLayout.cut("× " + $0, to: 8) } + [""])))
    }
    for one in result.lines {
      let verdict = one.fault == nil ? "PASS" : style.red("FAIL")
      try Terminal.line(
        line(
          [
            one.product.shape.description, "\(one.product.tokens)",
            String(format: "%.1f", one.operationsPerSecond * 1e-9),
            String(format: "%.1f", one.bytesPerSecond * 1e-9),
            String(format: "%.1f %% ", 100 * one.roofShare) + one.roof,
            one.sumsAreExact ? "exact" : "wrong",
          ] + one.rivals.prefix(2).map { String(format: "%.3f", $0.ratio) } + [verdict]))
    }
    for verdict in result.verdicts where !verdict.isFine {
      let text = verdict.description.dropFirst(5)
      try Terminal.line(style.red("FAIL ") + text)
    }
    let passed = result.verdicts.count { $0.isFine }
    try Terminal.line("\(passed) of \(ArenaCheck.allCases.count) checks passed")
    if let score = result.score {
      let cases = result.lines.count == 1 ? "1 case" : "\(result.lines.count) cases"
      try Terminal.line(
        style.bold("score " + String(format: "%.3f", score))
          + " against \(result.baseline), the geometric mean of \(cases)")
      try Terminal.line(
        style.faint(
          "median of \(result.lines.map(\.runs).min() ?? 0) runs, secret seed \(result.seed)"))
    } else {
      try Terminal.line(
        result.passed ? "no score: \(result.reason ?? "")" : style.bold("no score"))
    }
  }

  private func line(_ cells: [String]) -> String {
    let widths = [13, 6, 8, 7, 13, 5] + [Int](repeating: 8, count: max(0, cells.count - 7)) + [4]
    // The last cell, a verdict, is as wide as it is.
    return zip(cells, widths).enumerated().map { index, pair in
      index == cells.count - 1 ? pair.0 : TextLayout.padded(pair.0, pair.1, right: index >= 1)
    }.joined(separator: " ")
  }

  /// A table for each set of results that can be compared.
  func print(_ board: ArenaBoard) throws {
    for (index, group) in board.groups.enumerated() {
      if index > 0 { try Terminal.line() }
      let cases = group.cases.count == 1 ? "1 case" : "\(group.cases.count) cases"
      let threads = group.threads == 1 ? "1 thread" : "\(group.threads) threads"
      let source = group.fromMemory ? "from memory" : "from caches"
      try Terminal.line(
        style.bold("against \(group.baseline)") + ": \(cases), \(threads), \(source)")
      let entries = group.entries
      let table = TextTable(
        heading: "kernel", labels: entries.map(\.result.kernel),
        columns: [
          TextTable.Column(
            title: "score",
            cells: entries.map { $0.result.score.map { String(format: "%.3f", $0) } ?? "–" },
            rank: 0),
          TextTable.Column(
            title: "checks", cells: entries.map { $0.result.passed ? "PASS" : "FAIL" }, rank: 1),
          TextTable.Column(title: "CPU", cells: entries.map(\.result.cpu), rank: 2),
          TextTable.Column(title: "result", cells: entries.map(\.path), rank: 3),
          TextTable.Column(
            title: "origin", cells: entries.map { $0.result.origin ?? "built in" }, rank: 4),
        ])
      for line in table.lines(width: Terminal.width, style: style).lines {
        try Terminal.line(line)
      }
      for entry in entries {
        if let reason = entry.result.reason {
          Terminal.note("\(entry.path): \(entry.result.kernel) has no score: \(reason)")
        }
      }
    }
  }
}
