import Foundation

/// Maps of numbers, and figures of several panels.
extension Plot {
  /// Rows and columns beyond which neighbours are drawn as their mean.
  private static let mostCells = 160
  /// Colours of maps. They are none of the style's, which a dark page replaces: half a palette
  /// that changes with the page would say something else.
  private static let ink = (
    white: "'#fefefe'", blue: "'#0a6fae'", orange: "'#d98f0a'", text: "'#1b1f25'"
  )

  /// A map: a coloured cell for each value, row 0 at the top, with a scale beside it. Values of one
  /// sign go from white to blue; of two, negative ones are orange. What is not finite is left out.
  ///
  /// - Parameters:
  ///   - values: the rows; short ones end early.
  ///   - rows: what stands at the left of each row; numbers where it is empty.
  ///   - columns: what stands below each column; numbers where it is empty.
  ///   - format: how values are written into the cells, as of printf (`%.1f`); empty for not at
  ///     all.
  ///   - scale: what the colours stand for.
  ///
  /// A map of more than 160 rows or columns shows means of neighbours, and says so below.
  public func heatMap(
    _ values: [[some BinaryFloatingPoint]], rows: [String] = [], columns: [String] = [],
    format: String = "", scale: String = ""
  ) -> Plot {
    let numbers = values.map { $0.map { Double($0) } }
    let width = numbers.map(\.count).max() ?? 0
    guard width > 0 else { return self }
    let (down, across) = (Self.step(numbers.count), Self.step(width))
    let cells = Self.means(numbers, width, down, across)
    var plot = self
    let finite = cells.joined().filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    let most = max(abs(low), abs(high))
    if low < 0 {
      plot.commands += [
        "set palette defined (-1 \(Self.ink.orange), 0 \(Self.ink.white), 1 \(Self.ink.blue))",
        "set cbrange [\(-(most > 0 ? most : 1)):\(most > 0 ? most : 1)]",
      ]
    } else {
      plot.commands += [
        "set palette defined (0 \(Self.ink.white), 1 \(Self.ink.blue))",
        "set cbrange [0:\(most > 0 ? most : 1)]",
      ]
    }
    plot.commands += [
      "set colorbox", "set cblabel \(Self.quoted(scale))", "unset grid", "set border 0",
      "set xrange [-0.5:\(cells[0].count).0 - 0.5]", "set yrange [\(cells.count).0 - 0.5:-0.5]",
    ]
    if down * across > 1 {
      let axis = axes[1].isEmpty ? "" : axes[1] + "; "
      plot.commands.append(
        "set xlabel \(Self.quoted("\(axis)a cell is the mean of \(down) × \(across)"))")
    }
    plot.commands += Self.ticks("y", rows, down) + Self.ticks("x", columns, across)
    let data = cells.enumerated().map { row, line in
      line.enumerated().map { "\($0.offset)\t\(row)\t\(Self.cell($0.element))" }.joined(
        separator: "\n")
    }
    plot.series.append(Series(style: .map, name: "", rows: data, using: "1:2:3"))
    guard !format.isEmpty, down * across == 1 else { return plot }
    // Words on dark cells are white.
    for (isLight, colour) in [(false, Self.ink.text), (true, Self.ink.white)] {
      let texts = cells.enumerated().flatMap { row, line in
        line.enumerated().filter { $0.element.isFinite && ($0.element > 0.6 * most) == isLight }
          .map { column, value in
            "\(column)\t\(row)\t\(Self.quoted(String(format: format, value)))"
          }
      }
      guard !texts.isEmpty else { continue }
      plot.series.append(
        Series(
          style: .labels, name: "", rows: texts, using: "1:2:3",
          options: "center tc rgb \(colour) font ',10'"))
    }
    return plot
  }

  /// This figure with `other` below it, as a second panel with a title and axes of its own.
  public func panel(_ other: Plot) -> Plot {
    var plot = self
    plot.panels += [other.alone] + other.panels
    return plot
  }

  private var alone: Plot {
    var plot = self
    plot.panels = []
    return plot
  }

  private static func step(_ count: Int) -> Int { (count + mostCells - 1) / mostCells }

  private static func means(
    _ values: [[Double]], _ width: Int, _ down: Int, _ across: Int
  ) -> [[Double]] {
    stride(from: 0, to: values.count, by: down).map { row in
      stride(from: 0, to: width, by: across).map { column in
        var (sum, count) = (0.0, 0.0)
        for line in values[row..<min(row + down, values.count)] where column < line.count {
          for value in line[column..<min(column + across, line.count)] where value.isFinite {
            sum += value
            count += 1
          }
        }
        return count > 0 ? sum / count : .nan
      }
    }
  }

  private static func cell(_ value: Double) -> String { value.isFinite ? "\(value)" : "NaN" }

  /// Names at the ticks of an axis; every second or third where there are many.
  private static func ticks(_ axis: String, _ names: [String], _ step: Int) -> [String] {
    guard !names.isEmpty else { return ["set \(axis)tics scale 0"] }
    let cells = (names.count + step - 1) / step
    let every = max(1, (cells + 39) / 40)
    let list = stride(from: 0, to: cells, by: every).map {
      "\(quoted(names[$0 * step])) \($0)"
    }
    let turned = axis == "x" && names.contains { $0.count > 3 } ? " rotate by -45" : ""
    return ["set \(axis)tics scale 0 (\(list.joined(separator: ", ")))\(turned)"]
  }
}
