internal import Foundation

/// What one figure shows: a table, and the variables that its template reads.
public struct PlotData: Sendable {
  /// Tab-separated, a comment with the names of the columns in front; blocks with two empty lines
  /// between.
  public var table: String
  /// Variables of the script, in gnuplot's syntax (`string`, `strings`, `numbers` write it).
  public var variables: [(name: String, value: String)]
  /// Rows or series.
  public var rows: Int
  /// Height of the image in pixels.
  public var height: Int
  /// The figures in words, for those who hear the picture: sentences, the description of the SVG.
  public var words: String
  /// What is left out and why, a sentence each: it stands below the figure.
  public var remarks: [String]

  /// The height of the tallest figure (pixels): what a page holds. A taller one is drawn in this
  /// height.
  public static let maximumHeight = 1500

  /// Data for a template.
  public init(
    table: String, variables: [(name: String, value: String)] = [], rows: Int, height: Int,
    words: String = "", remarks: [String] = []
  ) {
    self.table = table
    self.variables = variables
    self.rows = rows
    self.height = min(max(height, 80), Self.maximumHeight)
    self.words = words
    self.remarks = remarks
  }

  /// Data on a sheet: `eval frame` in the template sets what stands around the marks.
  init(
    _ sheet: PlotSheet, table: String, variables: [(name: String, value: String)], rows: Int,
    words: String, remarks: [String] = []
  ) {
    self.init(
      table: table, variables: sheet.variables + variables, rows: rows,
      height: Int(sheet.height.rounded(.up)), words: words, remarks: remarks)
  }

  /// A label as a cell: not longer than a margin can hold.
  public static func cell(_ text: String) -> String { GnuplotText.cell(GnuplotText.shown(text)) }

  /// A string of gnuplot.
  public static func string(_ text: String) -> String { GnuplotText.string(text) }

  /// Labels as an array of gnuplot, none longer than a margin can hold.
  public static func strings(_ list: [String]) -> String {
    "[" + list.map { string(GnuplotText.shown($0)) }.joined(separator: ", ") + "]"
  }

  /// Numbers as an array of gnuplot.
  public static func numbers(_ list: [Double]) -> String {
    "[" + list.map { "\($0)" }.joined(separator: ", ") + "]"
  }

  /// A table of cells that have been written as `cell` and numbers are.
  public static func table(_ header: [String], _ rows: [[String]]) -> String {
    "# " + header.joined(separator: "\t") + "\n"
      + rows.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  /// The height of a figure with so many rows of bars, `each` high where there are few (pixels).
  public static func rowHeight(_ rows: Int, each: Int = 34) -> Int {
    let room = (maximumHeight - 150) / max(rows, 1)
    return 150 + min(each, max(15, min(room, 10 * each / max(rows, 1)))) * max(rows, 2)
  }

  /// Whether values spread so far that a linear axis would hide the small ones.
  public static func isWide(_ values: [Double], factor: Double) -> Bool {
    guard let low = values.min(), let high = values.max(), low > 0 else { return false }
    return high / low > factor
  }

  /// The range of an axis and its ticks, as variables: `low`, `high`, `logarithmic` and `ticks`,
  /// for `set xtics`.
  static func axis(_ axis: PlotAxis, prefix: String = "") -> [(name: String, value: String)] {
    [
      (prefix + "low", "\(axis.low)"), (prefix + "high", "\(axis.high)"),
      (prefix + "logarithmic", axis.isLog ? "1" : "0"), (prefix + "ticks", string(axis.tics())),
    ]
  }

  /// The value if it is a number.
  public static func finite(_ value: Double?) -> Double? {
    value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The floor of perplexity as a variable of a script: NaN where there is none.
  static func floor(_ report: Report) -> String {
    finite(report.floor?.perplexity).map { "\($0)" } ?? "NaN"
  }

  /// Both ends of every error bar.
  static func bounds(_ values: [Double], _ errors: [Double]) -> [Double] {
    zip(values, errors).flatMap { [$0 - $1, $0 + $1] }
  }
}
