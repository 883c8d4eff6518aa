/// How often values fall where, with thresholds on top.
public struct Histogram: Sendable, Equatable, Drawable {
  /// The picture's name.
  public var title: String
  /// Where the bins begin, and the last one ends.
  public let edges: [Double]
  /// How many values each bin has; a value on an edge is in the bin above it, the greatest in the
  /// last.
  public let counts: [Int]
  /// Where rounding changes its mind.
  public let thresholds: [Double]

  /// Counts the finite ones of `values` in `bins` bins of one width, 1…400, from the least to the
  /// greatest.
  public init(
    _ title: String = "", _ values: some Collection<Double>, bins: Int = 40,
    thresholds: [Double] = []
  ) {
    let finite = values.filter(\.isFinite)
    let bins = min(max(bins, 1), 400)
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    if low == high { (low, high) = (low - 0.5 - low.ulp, high + 0.5 + high.ulp) }
    // Halves, so that the whole range of doubles does not overflow.
    let span = high / 2 - low / 2
    var counts = [Int](repeating: 0, count: bins)
    for value in finite {
      let share = (value / 2 - low / 2) / span
      counts[min(Int(share * Double(bins)), bins - 1)] += 1
    }
    self.title = title
    self.counts = counts
    edges = (0...bins).map { 2 * (low / 2 + span * (Double($0) / Double(bins))) }
    self.thresholds = thresholds.filter(\.isFinite).sorted()
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: picture]) }

  /// `A histogram` where it has no title.
  public var heading: String { title.isEmpty ? "A histogram" : title }

  private var plain: String {
    // Twenty lines at most: neighbours together.
    let group = (counts.count + 19) / 20
    let most =
      stride(from: 0, to: counts.count, by: group)
      .map { counts[$0..<min($0 + group, counts.count)].reduce(0, +) }.max() ?? 0
    var lines = title.isEmpty ? [] : [title]
    for start in stride(from: 0, to: counts.count, by: group) {
      let end = min(start + group, counts.count)
      let count = counts[start..<end].reduce(0, +)
      let bar = most > 0 ? Int((50 * Double(count) / Double(most)).rounded()) : 0
      let inside = thresholds.contains { edges[start] <= $0 && $0 < edges[end] }
      let label = TextMeasure.padded(TextMeasure.number(edges[start], digits: 3), 9, right: true)
      lines.append(
        "\(label) \(inside ? "|" : " ")\(String(repeating: "#", count: bar)) \(count)")
    }
    if !thresholds.isEmpty {
      lines.append(
        "| thresholds " + thresholds.map { TextMeasure.number($0) }.joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }

  /// Bars side by side over a line.
  public func draw(on canvas: inout SVGCanvas) {
    let (left, right) = (12.0, canvas.width - 12)
    let top = canvas.height + 18
    let bottom = top + 150
    let most = Double(max(counts.max() ?? 1, 1))
    let side = (right - left) / Double(counts.count)
    for (index, count) in counts.enumerated() where count > 0 {
      let height = 150 * Double(count) / most
      canvas.rectangle(
        x: left + side * Double(index), y: bottom - height, width: max(side - 0.8, 0.6),
        height: height, .plus, tip: "\(TextMeasure.number(edges[index])): \(count)")
    }
    canvas.line((left, bottom), (right, bottom), .line, width: 1.5)
    let (low, high) = (edges[0], edges[edges.count - 1])
    func x(_ value: Double) -> Double {
      left + (value / 2 - low / 2) / (high / 2 - low / 2) * (right - left)
    }
    for threshold in thresholds where threshold >= low && threshold <= high {
      canvas.line(
        (x(threshold), top - 2), (x(threshold), bottom), .mark, width: 1.5, dashed: true)
      let text = TextMeasure.number(threshold, digits: 3)
      let half = 3.4 * Double(text.count) + 2
      let center = min(max(x(threshold), left + half), right - half)
      canvas.text(text, x: center, y: top - 6, .mark, anchor: .middle, size: 11)
    }
    canvas.text(TextMeasure.number(low, digits: 3), x: left, y: bottom + 16, .faint)
    canvas.text(TextMeasure.number(high, digits: 3), x: right, y: bottom + 16, .faint, anchor: .end)
    if low < 0, high > 0, x(0) - left > 50, right - x(0) > 50 {
      canvas.text("0", x: x(0), y: bottom + 16, .faint, anchor: .middle)
    }
    canvas.text("at most \(counts.max() ?? 0) in a bin", x: left, y: bottom + 32, .faint)
    canvas.height = bottom + 42
  }
}
