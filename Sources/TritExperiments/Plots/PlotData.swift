internal import Foundation

/// What one figure shows: a table, and the variables that its template reads.
public struct PlotData: Sendable {
  /// Tab-separated, a comment with the names of the columns in front; blocks with two empty lines between.
  public var table: String
  /// Variables of the script, in gnuplot's syntax (`string`, `strings`, `numbers` write it).
  public var variables: [(name: String, value: String)]
  /// Rows or series.
  public var rows: Int
  /// Height of the image in pixels.
  public var height: Int

  /// Data for a template.
  public init(
    table: String, variables: [(name: String, value: String)] = [], rows: Int, height: Int
  ) {
    self.table = table
    self.variables = variables
    self.rows = rows
    self.height = height
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

  /// The height of a figure with so many rows of bars (pixels).
  public static func rowHeight(_ rows: Int, each: Int = 34) -> Int { 150 + each * max(rows, 2) }

  /// Whether values spread so far that a linear axis would hide the small ones.
  public static func isWide(_ values: [Double], factor: Double) -> Bool {
    guard let low = values.min(), let high = values.max(), low > 0 else { return false }
    return high / low > factor
  }

  /// The range of an axis and, for a logarithmic one, its ticks at 1, 2, 5 times powers of ten.
  public static func axis(_ values: [Double], isLog: Bool) -> [(name: String, value: String)] {
    let lowest = values.min() ?? 0
    let highest = values.max() ?? 1
    guard isLog, lowest > 0, highest.isFinite else {
      let span = max(highest - lowest, abs(highest) * 0.02, 1e-9)
      return [
        ("low", "\(lowest - 0.18 * span)"), ("high", "\(highest + 0.18 * span)"), ("ticks", "''"),
      ]
    }
    let room = max(pow(highest / lowest, 0.15), 1.3)
    // Perplexities of broken variants come near the end of the range: both ends stay numbers.
    let low = max(lowest / room, .leastNormalMagnitude)
    let high = min(highest * room, .greatestFiniteMagnitude)
    let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let steps: [Double] = decades.count > 4 ? [1] : [1, 2, 5]
    let ticks = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
      .filter { $0 >= low && $0 <= high }
    return [
      ("low", "\(low)"), ("high", "\(high)"),
      (
        "ticks",
        string("(" + ticks.map { "'\(Figures.plain($0))' \($0)" }.joined(separator: ", ") + ")")
      ),
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

  /// Perplexities that are drawn as lines: the reference's and the floor.
  static func lines(_ report: Report) -> [Double] {
    [report.reference?.metrics["perplexity.value"], report.floor?.perplexity].compactMap(finite)
  }

  /// Both ends of every error bar, above zero.
  static func bounds(_ values: [Double], _ errors: [Double]) -> [Double] {
    zip(values, errors).flatMap { [max($0 - $1, $0 * 0.1), $0 + $1] }
  }

  /// Whether two points are so near that names beside them would lie on each other.
  static func collide(_ x: [Double], _ y: [Double]) -> Bool {
    func spread(_ list: [Double]) -> Double {
      max((list.max() ?? 0) - (list.min() ?? 0), abs(list.max() ?? 0) * 1e-6, 1e-12)
    }
    let (width, height) = (spread(x), spread(y))
    for i in x.indices {
      // A name at the right edge needs room that only a legend gives.
      for j in x.indices where j > i {
        if abs(x[i] - x[j]) / width < 0.35, abs(y[i] - y[j]) / height < 0.09 { return true }
      }
    }
    return false
  }

  /// Heights for names at the ends of curves: at the curve where there is room, else moved apart.
  static func spreadOut(_ ends: [Double], within all: [Double], isLog: Bool) -> [Double] {
    func forward(_ value: Double) -> Double { isLog ? log(max(value, 1e-300)) : value }
    let low = forward(all.min() ?? 0)
    let gap = max(forward(all.max() ?? 1) - low, 1e-9) * 0.055
    var result = ends.map(forward)
    let order = result.indices.sorted { result[$0] < result[$1] }
    for (lower, upper) in zip(order, order.dropFirst()) where result[upper] - result[lower] < gap {
      result[upper] = result[lower] + gap
    }
    return isLog ? result.map { exp($0) } : result
  }

}
