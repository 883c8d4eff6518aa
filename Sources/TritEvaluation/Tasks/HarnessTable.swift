import Foundation

/// The table that lm-evaluation-harness prints (`make_table`): Markdown, columns as wide as their
/// content.
public enum HarnessTable {
  private static let headers = [
    "Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr",
  ]

  /// The table of all tasks and groups, and behind it that of the groups where there are any.
  public static func text(_ results: HarnessResults) -> String {
    var text = table(rows(results, groupsOnly: false), first: "Tasks")
    if !results.groups.isEmpty {
      text += "\n" + table(rows(results, groupsOnly: true), first: "Groups")
    }
    return text
  }

  /// A line of the table: a metric of a task or group.
  private struct Row {
    var name: String
    var version: String
    var shots: String
    let figure: HarnessFigure
    var arrow: String
  }

  private static func rows(_ results: HarnessResults, groupsOnly: Bool) -> [Row] {
    var rows: [Row] = []
    var seen: Set<String> = []
    func add(
      _ alias: String, _ depth: Int, version: String, shots: String, _ figures: [HarnessFigure],
      arrows: Bool = true
    ) {
      let mark = depth > 0 ? String(repeating: " ", count: depth) + "- " : ""
      var (name, version) = (mark + alias, version)
      for figure in figures.sorted(by: { $0.name < $1.name }) {
        let arrow = arrows ? figure.higherIsBetter ? "↑" : "↓" : ""
        rows.append(
          Row(name: name, version: version, shots: shots, figure: figure, arrow: arrow))
        (name, version) = ("", "")
      }
    }
    func visit(_ name: String, _ depth: Int) {
      guard seen.insert(name).inserted else { return }
      if let result = results.groups.first(where: { $0.group.name == name }) {
        let isOuter = result.group.members.contains { HarnessGroup.named($0) != nil }
        add(
          result.group.alias, depth, version: result.group.version.map { "\($0)" } ?? "N/A",
          shots: isOuter ? "" : result.shots.map { "\($0)" } ?? "", result.figures,
          arrows: !isOuter)
        for member in result.group.members.sorted() { visit(member, depth + 1) }
      } else if !groupsOnly, let result = results.tasks.first(where: { $0.task.name == name }) {
        add(
          result.task.alias, depth, version: "\(Int(result.task.version))",
          shots: "\(result.shots)", result.figures)
      }
    }
    let inner = Set(results.groups.flatMap(\.group.members))
    for group in results.groups.map(\.group.name).sorted() where !inner.contains(group) {
      visit(group, 0)
    }
    for task in results.tasks.map(\.task.name).sorted() { visit(task, 0) }
    return rows
  }

  /// A column of figures as pytablewriter writes it: as many digits after the point as the figure
  /// that needs most of them, of the four that each has.
  private static func aligned(_ values: [Double?]) -> [String] {
    let texts = values.map { $0.map { String(format: "%.4f", $0) } }
    let digits =
      texts.compactMap { text -> Int? in
        guard let text, let point = text.firstIndex(of: ".") else { return nil }
        return text[text.index(after: point)...].lastIndex { $0 != "0" }.map {
          text.distance(from: point, to: $0)
        } ?? 0
      }.max() ?? 0
    return texts.map { text in
      guard let text else { return "   N/A" }
      guard text.contains(".") else { return text }
      // Beside words all four stay.
      if values.contains(nil) { return text }
      return String(text.dropLast(digits == 0 ? 5 : 4 - digits))
    }
  }

  private static func table(_ rows: [Row], first: String) -> String {
    var cells = [[first] + headers.dropFirst()]
    let values = aligned(rows.map { $0.figure.value })
    let errors = aligned(rows.map(\.figure.error))
    for (index, row) in rows.enumerated() {
      cells.append([
        row.name, row.version, "none", row.shots, row.figure.name, row.arrow, values[index], "±",
        errors[index],
      ])
    }
    // Numbers stand to the right, and so do columns of nothing else.
    let isNumber = headers.indices.map { column in
      cells.dropFirst().allSatisfy { $0[column].isEmpty || Double($0[column]) != nil }
        && cells.dropFirst().contains { !$0[column].isEmpty }
    }
    let widths = headers.indices.map { column in
      max(3, cells.map { $0[column].count }.max() ?? 0)
    }
    func line(_ cells: [String]) -> String {
      "|"
        + zip(cells, widths).map { cell, width in
          let space = String(repeating: " ", count: width - cell.count)
          return Double(cell) != nil ? space + cell : cell + space
        }.joined(separator: "|") + "|\n"
    }
    func centred(_ cells: [String]) -> String {
      "|"
        + zip(cells, widths).map { cell, width in
          let space = width - cell.count
          return String(repeating: " ", count: space / 2) + cell
            + String(repeating: " ", count: space - space / 2)
        }.joined(separator: "|") + "|\n"
    }
    let rule =
      "|"
      + zip(isNumber, widths).map { isNumber, width in
        String(repeating: "-", count: isNumber ? width - 1 : width) + (isNumber ? ":" : "")
      }.joined(separator: "|") + "|\n"
    return centred(cells[0]) + rule + cells.dropFirst().map(line).joined()
  }
}
