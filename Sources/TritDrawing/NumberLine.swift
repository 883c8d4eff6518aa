/// Values on a line, the thresholds between, and where each value is rounded to: the house figure
/// of quantization.
public struct NumberLine: Sendable, Equatable, Drawable {
  /// A value and what stands for it afterwards.
  public struct Point: Sendable, Equatable {
    /// Before.
    public var value: Double
    /// After.
    public var rounded: Double
    /// Pairs the two.
    public init(_ value: Double, to rounded: Double) {
      (self.value, self.rounded) = (value, rounded)
    }
  }

  /// The picture's name.
  public var title: String
  /// The values; those that are not finite are left out.
  public let points: [Point]
  /// Where rounding changes its mind.
  public let thresholds: [Double]
  /// Names of levels, by the level: `+1` at the scale, say.
  public var levelNames: [Double: String]

  /// Values with what each becomes.
  public init(
    _ title: String = "", points: [Point], thresholds: [Double] = [],
    levelNames: [Double: String] = [:]
  ) {
    self.title = title
    self.points = points.filter { $0.value.isFinite && $0.rounded.isFinite }
    self.thresholds = thresholds.filter(\.isFinite).sorted()
    self.levelNames = levelNames
  }

  /// The values after rounding, ascending.
  public var levels: [Double] { Set(points.map(\.rounded)).union(levelNames.keys).sorted() }

  private func name(_ level: Double) -> String {
    let number = TextMeasure.number(level, digits: 3)
    guard let name = levelNames[level], name != number else { return number }
    return "\(name) (\(number))"
  }

  private var range: (low: Double, high: Double) {
    let all = points.flatMap { [$0.value, $0.rounded] } + thresholds + levels + [0]
    let low = all.min() ?? 0
    let high = all.max() ?? 0
    guard low < high else { return (low - 1, high + 1) }
    return (low, high)
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: picture]) }

  /// `A number line` where it has no title.
  public var heading: String { title.isEmpty ? "A number line" : title }
  /// How to read it.
  public var legend: String {
    "Values above, what each is rounded to below; broken lines are thresholds."
  }

  private var plain: String {
    let (low, high) = range
    let width = 72
    func place(_ value: Double) -> Int {
      let share = (value / 2 - low / 2) / (high / 2 - low / 2)
      return min(max(Int((share * Double(width - 1)).rounded()), 0), width - 1)
    }
    func line(_ marks: [(Double, Character)], _ fill: Character) -> String {
      var cells = [Character](repeating: fill, count: width)
      for (value, mark) in marks { cells[place(value)] = mark }
      return String(cells)
    }
    var counts: [Int: Int] = [:]
    for point in points { counts[place(point.value), default: 0] += 1 }
    let digits = (0..<width).map { index -> Character in
      guard let count = counts[index] else { return " " }
      return count > 9 ? "#" : Character("\(count)")
    }
    var lines = title.isEmpty ? [] : [title]
    func trimmed(_ text: String) -> String {
      var text = text
      while text.last == " " { text.removeLast() }
      return text
    }
    lines.append(trimmed("values " + String(digits)))
    lines.append("       " + line(thresholds.map { ($0, "|") } + [(0, "0")], "-"))
    lines.append(trimmed("levels " + line(levels.map { ($0, "^") }, " ")))
    if !thresholds.isEmpty {
      lines.append(
        "thresholds " + thresholds.map { TextMeasure.number($0, digits: 4) }.joined(separator: ", ")
      )
    }
    for level in levels {
      let count = points.count { $0.rounded == level }
      lines.append("\(count) \(count == 1 ? "value" : "values") to \(name(level))")
    }
    return lines.joined(separator: "\n")
  }

  /// Two lines with what leads from one to the other.
  public func draw(on canvas: inout SVGCanvas) {
    let (low, high) = range
    let (left, right) = (28.0, canvas.width - 28)
    func x(_ value: Double) -> Double {
      left + (value / 2 - low / 2) / (high / 2 - low / 2) * (right - left)
    }
    let top = canvas.height + 34
    let bottom = top + 96
    for threshold in thresholds {
      canvas.line(
        (x(threshold), top - 16), (x(threshold), bottom + 4), .mark, width: 1.5, dashed: true)
    }
    var lastEnd = -Double.infinity
    for threshold in thresholds {
      let text = TextMeasure.number(threshold, digits: 3)
      let half = 3.4 * Double(text.count)
      guard x(threshold) - half > lastEnd + 4 else { continue }
      canvas.text(text, x: x(threshold), y: top - 20, .mark, anchor: .middle, size: 11)
      lastEnd = x(threshold) + half
    }
    canvas.line((left - 8, top), (right + 8, top), .line, width: 1.5)
    canvas.line((left - 8, bottom), (right + 8, bottom), .line, width: 1.5)
    let levels = levels
    func ink(_ level: Double) -> SVGCanvas.Ink {
      level > 0 ? .plus : level < 0 ? .minus : .zero
    }
    let shade = points.count > 40 ? max(0.15, 20 / Double(points.count)) : 0.7
    for point in points {
      canvas.line(
        (x(point.value), top), (x(point.rounded), bottom), ink(point.rounded), opacity: shade)
    }
    let radius = points.count > 40 ? 3.0 : 4.5
    for point in points {
      canvas.dot(
        x: x(point.value), y: top, radius: radius + 1, .text)
      canvas.dot(
        x: x(point.value), y: top, radius: radius, ink(point.rounded),
        tip: "\(TextMeasure.number(point.value)) → \(TextMeasure.number(point.rounded))")
    }
    // Names of levels take turns on two lines where they would touch.
    var ends = [-Double.infinity, -Double.infinity]
    for level in levels {
      canvas.rectangle(x: x(level) - 6, y: bottom - 6, width: 12, height: 12, ink(level), radius: 2)
      let text = name(level)
      let half = 3.4 * Double(text.count)
      let center = min(max(x(level), half + 4), canvas.width - half - 4)
      guard let row = ends.firstIndex(where: { center - half > $0 + 6 }) else { continue }
      canvas.text(text, x: center, y: bottom + 24 + 15 * Double(row), anchor: .middle)
      ends[row] = center + half
    }
    canvas.height = bottom + (ends[1] > 0 ? 50 : 36)
  }
}
