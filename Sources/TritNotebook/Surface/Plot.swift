import Foundation
public import TritCore
public import TritDrawing
import TritExperiments

/// A figure in the house style, drawn by gnuplot: series over one pair of axes.
///
/// ```
/// Plot("error of absmean", x: "threshold in γ", y: "relative error").line(thresholds, errors)
/// ```
public struct Plot: Sendable, Displayable {
  enum Style: String, Sendable {
    case line = "lines lw 2"
    case points
    case linesPoints = "linespoints"
    case steps = "steps lw 2"
    case bars = "boxes"
    /// Pixels as rectangles: gnuplot's other way refers to files.
    case map = "image pixels"
    case labels
  }

  struct Series: Sendable {
    var style: Style
    var name: String
    /// Rows of the data, tab between columns.
    var rows: [String]
    var using: String
    /// What stands behind the style.
    var options = ""
  }

  /// What stands over it.
  public var title: String
  var commands: [String]
  var series: [Series] = []
  /// Figures below this one, in the same picture.
  var panels: [Plot] = []
  private(set) var width: Int
  private(set) var height: Int
  /// What the axes are called.
  private(set) var axes: [String]

  /// An empty figure of `width` × `height` pixels; axes are named `x` and `y`.
  public init(
    _ title: String, x: String = "", y: String = "", width: Int = 640, height: Int = 380
  ) {
    self.title = title
    (self.width, self.height) = (width, height)
    axes = [y, x]
    commands = ["set xlabel \(Self.quoted(x))", "set ylabel \(Self.quoted(y))"]
  }

  /// A line through points.
  public func line(
    _ x: [some BinaryFloatingPoint], _ y: [some BinaryFloatingPoint], _ name: String = ""
  ) -> Plot {
    adding(.line, x.map { Double($0) }, y.map { Double($0) }, name)
  }

  /// Points.
  public func points(
    _ x: [some BinaryFloatingPoint], _ y: [some BinaryFloatingPoint], _ name: String = ""
  ) -> Plot {
    adding(.points, x.map { Double($0) }, y.map { Double($0) }, name)
  }

  /// Points with a line through them.
  public func linesPoints(
    _ x: [some BinaryFloatingPoint], _ y: [some BinaryFloatingPoint], _ name: String = ""
  ) -> Plot {
    adding(.linesPoints, x.map { Double($0) }, y.map { Double($0) }, name)
  }

  /// A line that steps: values that hold up to the next.
  public func steps(
    _ x: [some BinaryFloatingPoint], _ y: [some BinaryFloatingPoint], _ name: String = ""
  ) -> Plot {
    adding(.steps, x.map { Double($0) }, y.map { Double($0) }, name)
  }

  /// A bar for each label, from zero; the value stands over it where `format` (as of printf) is not
  /// empty.
  public func bars(
    _ labels: [String], _ values: [some BinaryFloatingPoint], _ name: String = "",
    format: String = "%.3g"
  ) -> Plot {
    var plot = self
    let rows = zip(labels, values).enumerated().map { index, pair in
      "\(index)\t\(Double(pair.1))\t\(Self.quoted(pair.0))"
    }
    plot.commands += [
      "set boxwidth 0.7", "set yrange [0:*]", "set xrange [-0.6:\(labels.count).6-1]",
    ]
    plot.series.append(
      Series(style: .bars, name: name, rows: rows, using: "1:2:xtic(3)"))
    guard !format.isEmpty else { return plot }
    for (index, value) in values.enumerated() where Double(value).isFinite {
      let text = String(format: format, Double(value))
      plot.commands.append(
        "set label \(Self.quoted(text)) at \(index),\(Double(value)) center offset 0,0.6")
    }
    return plot
  }

  /// A histogram of `values` in `bins` bins of equal width.
  public func histogram(_ values: [some BinaryFloatingPoint], bins: Int = 40, _ name: String = "")
    -> Plot
  {
    let values = values.map { Double($0) }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max(), bins > 0 else { return self }
    let width = max((high - low) / Double(bins), .leastNormalMagnitude)
    var counts = [Double](repeating: 0, count: bins)
    for value in values { counts[min(Int((value - low) / width), bins - 1)] += 1 }
    var plot = self
    plot.commands += ["set boxwidth \(width)", "set yrange [0:*]"]
    let middles = (0..<bins).map { low + (Double($0) + 0.5) * width }
    plot.series.append(
      Series(style: .bars, name: name, rows: Self.rows(middles, counts), using: "1:2"))
    return plot
  }

  /// An upright line at `x`, with a word beside it.
  public func vertical(_ x: some BinaryFloatingPoint, _ name: String = "") -> Plot {
    var plot = self
    let at = Double(x)
    plot.commands.append(
      "set arrow from \(at), graph 0 to \(at), graph 1 nohead lc rgb red lw 1.5 dt 2 front")
    if !name.isEmpty {
      plot.commands.append(
        "set label \(Self.quoted(name)) at \(at), graph 0.97 left offset 0.5,0 textcolor rgb red")
    }
    return plot
  }

  /// A level line at `y`, with a word over it.
  public func horizontal(_ y: some BinaryFloatingPoint, _ name: String = "") -> Plot {
    var plot = self
    let at = Double(y)
    plot.commands.append(
      "set arrow from graph 0, first \(at) to graph 1, first \(at) nohead lc rgb red lw 1.5 dt 2 front"
    )
    if !name.isEmpty {
      plot.commands.append(
        "set label \(Self.quoted(name)) at graph 0.99, first \(at) right offset 0,0.6 textcolor rgb red"
      )
    }
    return plot
  }

  /// Axes whose steps are factors: `x`, `y` or `xy`; ticks are powers of 2 where `base` is 2.
  public func logarithmic(_ axes: String, base: Int = 10) -> Plot {
    var plot = self
    for axis in axes where axis == "x" || axis == "y" {
      plot.commands.append("set logscale \(axis) \(max(base, 2))")
    }
    return plot
  }

  /// Commands of gnuplot, for what is not here; the palette of the house is in variables (`blue`,
  /// `orange`, `red`…).
  public func with(_ commands: String...) -> Plot {
    var plot = self
    plot.commands += commands
    return plot
  }

  private func adding(_ style: Style, _ x: [Double], _ y: [Double], _ name: String) -> Plot {
    var plot = self
    plot.series.append(
      Series(style: style, name: name, rows: Self.rows(x, y), using: "1:2"))
    return plot
  }

  private static func rows(_ x: [Double], _ y: [Double]) -> [String] {
    zip(x, y).map { "\($0)\t\($1)" }
  }

  static func quoted(_ text: String) -> String { Gnuplot.quoted(text) }

  /// The figure in words: axes, and the range of each series.
  private var words: String { ([self] + panels).map(\.ownWords).joined(separator: " ") }

  private var ownWords: String {
    let named = axes.filter { !$0.isEmpty }
    let over = named.isEmpty ? "" : named.joined(separator: " over ") + ". "
    let parts = series.filter { $0.style != .labels }.map { one -> String in
      // The last column of a map is what it shows; elsewhere it is the second.
      let column = one.style == .map ? 2 : 1
      let values = one.rows.compactMap { row -> Double? in
        let cells = row.split(separator: "\t")
        return cells.count > column
          ? Double(cells[column]).flatMap { $0.isFinite ? $0 : nil } : nil
      }
      let range = values.min().flatMap { low in
        values.max().map { String(format: "%.4g to %.4g", low, $0) }
      }
      let name = one.name.isEmpty ? "\(one.rows.count) points" : one.name
      return "\(name): \(range ?? "nothing that is finite")"
    }
    return "A figure. " + over + parts.joined(separator: "; ") + "."
  }

  /// What draws it, in the house style.
  private var script: String {
    guard !panels.isEmpty else { return script(panel: 0) }
    var text = "set multiplot layout \(panels.count + 1),1\n" + script(panel: 0)
    for (index, panel) in panels.enumerated() {
      text += "\n\(Self.freshAxes)\nset title \(Self.quoted(panel.title))\n"
      text += panel.script(panel: index + 1)
    }
    return text + "\nunset multiplot"
  }

  /// What one panel has set is not the next one's.
  private static let freshAxes = """
    unset label; unset arrow; unset logscale; set boxwidth; unset colorbox; set autoscale
    set xtics autofreq norotate; set ytics autofreq norotate; set xrange [*:*]; set yrange [*:*]
    set cbrange [*:*]; set border 3; set grid
    """

  private func script(panel: Int) -> String {
    guard !series.isEmpty else {
      // Axes need a range where nothing gives them one.
      return "set xrange [0:1]; set yrange [0:1]\n" + commands.joined(separator: "\n")
        + "\nplot NaN notitle"
    }
    func block(_ index: Int) -> String { "$data\(panel)_\(index)" }
    var text = ""
    for (index, one) in series.enumerated() {
      text += "\(block(index)) << EOD\n\(one.rows.joined(separator: "\n"))\nEOD\n"
    }
    text += commands.joined(separator: "\n") + "\nplot "
    text += series.enumerated().map { index, one in
      let key = one.name.isEmpty ? "notitle" : "title \(Self.quoted(one.name))"
      return "\(block(index)) using \(one.using) with \(one.style.rawValue) \(one.options) \(key)"
    }.joined(separator: ", ")
    return text
  }

  /// The height of the picture.
  private var fullHeight: Int { height + panels.reduce(0) { $0 + $1.fullHeight } }

  /// Its SVG. Throws what gnuplot says, `missingInput` where there is none.
  public func svg() throws -> SVGImage {
    SVGImage(
      try Gnuplot.svgs([(title, words, script)], width: width, height: fullHeight)[0],
      plain: "figure: \(title)")
  }

  /// The SVG, or the reason why there is none.
  public var displayData: DisplayData {
    do {
      return try svg().displayData
    } catch {
      return DisplayData(plain: "figure: \(title)\n\(error)")
    }
  }

  /// A knob with one figure for each of its values: all drawn at once.
  public static func frames<Value>(
    _ label: String, _ values: [Value], plot: (Value) throws -> Plot
  ) throws -> Frames {
    let plots = try values.map { try plot($0) }
    let size = plots.first.map { ($0.width, $0.fullHeight) } ?? (640, 380)
    let svgs = try Gnuplot.svgs(
      plots.map { ($0.title, $0.words, $0.script) }, width: size.0, height: size.1)
    return try Frames(label, values: values.map { "\($0)" }, frames: svgs)
  }
}

/// Shows the figure that is a notebook's answer. `trit notebook run --figures DIR` writes it to
/// `DIR/NAME.svg`; the notebook shows that file to those who read it without running it.
public func figure(_ name: String, _ value: some Displayable) {
  HostChannel.send(
    HostEvent(kind: .display, data: value.displayData, id: "figure-\(name)"), waits: true)
}
