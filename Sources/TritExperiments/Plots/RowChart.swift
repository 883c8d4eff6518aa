internal import Foundation

/// A figure with a row for each variant: sorted, the best on top, and where a sweep has two axes in
/// groups; names at the left of the marks, figures as text at their right, so that no word lies on
/// a mark.
struct RowChart {
  /// A variant and the row in which it stands.
  struct Row {
    let record: RunRecord
    let label: String
    let slot: Int
  }

  /// Rows that one figure has at most. The best and the worst stay where there are more.
  static let most = 64

  /// From top to bottom.
  private(set) var rows: [Row] = []
  /// Names of groups, which have rows of their own.
  private(set) var headings: [(text: String, slot: Int)] = []
  /// All rows, those of headings among them.
  private(set) var slots = 0
  /// Variants that there is no row for.
  private(set) var omitted: [RunRecord] = []
  /// The height of a row, and the size of its letters.
  let pitch: Double
  let size: Double
  private var labelRoom = 0.0
  /// The names as they are drawn, by slot.
  private var cut: [Int: String] = [:]

  /// Rows for `records`, the least `rank` first and the reference before all; few of them are
  /// `each` high. `names`: what rows are called where that is not what differs between variants.
  init(
    _ records: [RunRecord], _ report: Report, each: Double, least: Double = 15,
    names: ((RunRecord) -> String)? = nil, rank: (RunRecord) -> Double
  ) {
    let ranks = records.map { record in
      (record: record, rank: rank(record).isNaN ? .infinity : rank(record))
    }
    var sorted = ranks.enumerated().sorted {
      $0.element.rank == $1.element.rank
        ? $0.offset < $1.offset : $0.element.rank < $1.element.rank
    }.map(\.element.record)
    let reference = sorted.filter { $0.role == .reference }
    sorted.removeAll { $0.role == .reference }
    if sorted.count > Self.most {
      omitted = Array(sorted[(Self.most * 3 / 4)..<(sorted.count - Self.most / 4)])
      sorted.removeSubrange((Self.most * 3 / 4)..<(sorted.count - Self.most / 4))
    }
    let axes = VariantAxes(report)
    let apart = names == nil ? Self.grouping(axes, sorted) : nil
    for record in reference {
      rows.append(Row(record: record, label: record.label, slot: slots))
      slots += 1
    }
    var groups: [String] = []
    for record in sorted {
      let group = apart.flatMap { axes.value(record, $0) } ?? ""
      if !groups.contains(group) { groups.append(group) }
    }
    for group in groups {
      if let apart, !group.isEmpty {
        headings.append(("\(axes.axes[apart].key) \(group)", slots))
        slots += 1
      }
      for record in sorted where (apart.flatMap { axes.value(record, $0) } ?? "") == group {
        let label =
          names?(record)
          ?? axes.label(record, without: group.isEmpty ? [] : apart.map { [$0] } ?? [])
        rows.append(Row(record: record, label: label, slot: slots))
        slots += 1
      }
    }
    // Up to ten rows have all the room; sixty fit on a page.
    pitch = min(each, max(least, each * 10 / Double(max(slots, 1))))
    size = min(12, max(PlotSheet.letters, pitch * 0.62))
  }

  /// The axis whose values are the groups: the one with the fewest, where there are too many rows
  /// to be read at once.
  private static func grouping(_ axes: VariantAxes, _ records: [RunRecord]) -> Int? {
    guard records.count > 12, axes.axes.count > 1 else { return nil }
    return axes.axes.indices.filter { axes.axes[$0].values.count <= 12 }
      .min { axes.axes[$0].values.count < axes.axes[$1].values.count }
  }

  /// A sheet whose marks stand between the names and `shown`, texts of the right column; legends
  /// and names of lines go on top before `finish`.
  mutating func sheet(shown: [String]) -> PlotSheet {
    var sheet = PlotSheet()
    let names = PlotText.widest(rows.map { GnuplotText.shown($0.label) }, size: size)
    let heads = PlotText.widest(headings.map { GnuplotText.shown($0.text) }, size: size)
    labelRoom = min(max(names, heads - 20, 40) + 4, 290)
    let fitted = PlotText.fit(names: rows.map(\.label), room: labelRoom, size: size)
    cut = Dictionary(uniqueKeysWithValues: zip(rows.map(\.slot), fitted))
    sheet.left = PlotSheet.margin + labelRoom + 12
    let column = shown.isEmpty ? 20 : PlotText.widest(shown, size: valueSize) + 14
    sheet.right = PlotSheet.width - PlotSheet.margin - min(column, 250)
    sheet.top = 42
    return sheet
  }

  /// Gives the rows their place below what stands on top.
  func finish(_ sheet: inout PlotSheet, x title: String) {
    sheet.bottom = sheet.top + Double(max(slots, 2)) * pitch
    for heading in headings {
      sheet.add(
        PlotSheet.Note(
          text: PlotText.fit(GnuplotText.shown(heading.text), room: labelRoom + 20, size: size),
          x: PlotSheet.margin, y: sheet.top + (Double(heading.slot) + 0.55) * pitch, ink: "blue",
          size: size))
    }
    sheet.titles(x: title)
  }

  /// The size of the texts at the right.
  var valueSize: Double { min(PlotSheet.letters, size) }

  /// A row's name as a cell, cut to the room of its column; different names stay different.
  func cell(_ row: Row) -> String {
    GnuplotText.cell(cut[row.slot] ?? GnuplotText.shown(row.label))
  }

  /// What all row templates read.
  var variables: [(name: String, value: String)] {
    [("row_size", Figures.fixed(size, 1)), ("value_size", Figures.fixed(valueSize, 1))]
  }

  /// Variants without a row, in words; empty where all have one.
  var leftOut: [String] {
    guard !omitted.isEmpty else { return [] }
    return [
      "\(omitted.count) variants between the best \(Self.most * 3 / 4) and the worst "
        + "\(Self.most / 4) are not drawn; metrics.csv has them"
    ]
  }
}

/// Figures in words: what a description of a figure says.
enum PlotWords {
  /// `A: 5; B: 6; and 3 more.`: at most `most` of them.
  static func list(_ items: [String], most: Int = 70) -> String {
    guard !items.isEmpty else { return "" }
    let rest = items.count - most
    return items.prefix(most).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more." : ".")
  }

  /// Variants whose figure is not finite, as a sentence for the figure; nothing where there are
  /// none.
  static func undrawn(_ records: [RunRecord], _ key: String, _ what: String) -> [String] {
    let lost = records.filter { record in record.metrics[key].map { !$0.isFinite } ?? false }
    let failed = records.filter { $0.metrics[key] == nil }
    var sentences: [String] = []
    if !lost.isEmpty {
      sentences.append(
        "\(what) is infinite or not defined and not drawn: \(names(lost))")
    }
    if !failed.isEmpty { sentences.append("not measured: \(names(failed))") }
    return sentences
  }

  /// The first labels of a list.
  static func names(_ records: [RunRecord]) -> String {
    let shown = records.prefix(4).map(\.label).joined(separator: ", ")
    return shown + (records.count > 4 ? " and \(records.count - 4) more" : "")
  }
}
