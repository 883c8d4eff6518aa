/// Named amounts as bars from zero, to one scale.
public struct Bars: Sendable, Equatable, Drawable {
  /// One bar.
  public struct Row: Sendable, Equatable {
    /// What it is.
    public var label: String
    /// How much; what is negative or not finite has no bar.
    public var value: Double
    /// What stands at its end; the number where it is empty.
    public var note: String
    /// Whether it is drawn as what is left out: grey.
    public var isFaint: Bool
    /// Names an amount.
    public init(_ label: String, _ value: Double, note: String = "", isFaint: Bool = false) {
      (self.label, self.value, self.note, self.isFaint) = (label, value, note, isFaint)
    }

    var text: String { note.isEmpty ? TextMeasure.number(value) : note }
    var length: Double { value.isFinite ? max(value, 0) : 0 }
  }

  /// The picture's name.
  public var title: String
  /// A sentence under it.
  public var summary: String
  /// The bars, from the top.
  public var rows: [Row]
  /// What a whole width stands for; the longest bar where it is nil.
  public var maximum: Double?

  /// Bars from the top.
  public init(_ title: String = "", summary: String = "", _ rows: [Row], maximum: Double? = nil) {
    (self.title, self.summary, self.rows, self.maximum) = (title, summary, rows, maximum)
  }

  private var most: Double {
    let most = maximum ?? rows.map(\.length).max() ?? 0
    return most > 0 && most.isFinite ? most : 1
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: picture]) }

  /// `Bars` where they have no title.
  public var heading: String { title.isEmpty ? "Bars" : title }
  /// The sentence under the title.
  public var legend: String { summary }

  private var plain: String {
    var lines = title.isEmpty ? [] : [title]
    if !summary.isEmpty { lines += TextMeasure.wrap(summary, 80) }
    let label = min(rows.map { TextMeasure.columns($0.label) }.max() ?? 0, 30)
    let note = rows.map { TextMeasure.columns($0.text) }.max() ?? 0
    let room = Double(max(78 - label - note, 8))
    for row in rows {
      let length = Int((room * min(row.length / most, 1)).rounded())
      let bar = String(repeating: row.isFaint ? "." : "#", count: length)
      lines.append("\(TextMeasure.padded(row.label, label)) \(bar) \(row.text)")
    }
    return lines.joined(separator: "\n")
  }

  /// A line for each.
  public func draw(on canvas: inout SVGCanvas) {
    let label = 7 * Double(rows.map { TextMeasure.columns($0.label) }.max() ?? 0) + 8
    let note = 6.6 * Double(rows.map { TextMeasure.columns($0.text) }.max() ?? 0) + 8
    let left = 12 + min(label, 150)
    let room = max(canvas.width - left - note - 12, 40)
    for row in rows {
      let y = canvas.height
      canvas.text(row.label, x: left - 6, y: y + 13, anchor: .end)
      let length = room * min(row.length / most, 1)
      canvas.rectangle(
        x: left, y: y + 1, width: max(length, row.length > 0 ? 1 : 0), height: 16,
        row.isFaint ? .zero : .plus, radius: 1)
      canvas.text(row.text, x: left + length + 5, y: y + 13, .faint)
      canvas.height += 21
    }
    canvas.height += 6
  }
}
