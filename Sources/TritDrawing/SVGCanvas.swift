/// A picture in the making, in the house's look.
///
/// It is a whole document by itself: it follows the reader's colour scheme on a ground of its own,
/// has a title and a description for those who hear it, fetches nothing and has no ids that could
/// collide with another picture's. Lengths are CSS pixels; 400 wide fits a phone with text of 12.
public struct SVGCanvas: Sendable {
  /// What a shape or a letter is painted with; colours are in the style sheet, one for light and
  /// one for dark. Blue and orange are those of Okabe and Ito's palette, as everywhere in the lab.
  public enum Ink: String, Sendable, CaseIterable {
    /// A cell of +1; text on it.
    case plus, onPlus
    /// A cell of 0; text on it.
    case zero, onZero
    /// A cell of −1; text on it.
    case minus, onMinus
    /// Words; what is less important; lines and frames.
    case text, faint, line
    /// Something to look at: a threshold.
    case mark
    /// Tints for what belongs together; words in `text` can be read on them.
    case tint0, tint1, tint2, tint3, tint4, tint5

    /// The tint of group `index`, round and round.
    public static func tint(_ index: Int) -> Ink {
      [.tint0, .tint1, .tint2, .tint3, .tint4, .tint5][((index % 6) + 6) % 6]
    }
  }

  /// Where a text stands from its point.
  public enum Anchor: String, Sendable { case start, middle, end }

  /// The picture's name.
  public let title: String
  /// What is to be seen, in a sentence.
  public let summary: String
  /// Size in CSS pixels.
  public let width: Double
  /// Size in CSS pixels; grow it as lines are added.
  public var height: Double
  private var body = ""

  /// An empty picture.
  public init(_ title: String, summary: String = "", width: Double = 400, height: Double = 8) {
    self.title = title
    self.summary = summary
    self.width = width
    self.height = height
  }

  /// A coordinate with at most two decimals.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    return TextMeasure.fixed(min(max(value, -1e6), 1e6), 2).replacing("−", with: "-")
  }

  private func point(_ value: Double) -> String { Self.coordinate(value) }

  /// A filled rectangle; `opacity` in 0…1, that of tints 0.3 unless told.
  public mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ ink: Ink, radius: Double = 0,
    opacity: Double? = nil, tip: String = ""
  ) {
    let opacity = opacity ?? (ink.rawValue.hasPrefix("tint") ? 0.3 : 1)
    let corner = radius > 0 ? " rx=\"\(point(radius))\"" : ""
    let shade = opacity < 1 ? " fill-opacity=\"\(point(max(opacity, 0)))\"" : ""
    body += "<rect class=\"\(ink.rawValue)\" x=\"\(point(x))\" y=\"\(point(y))\" "
    body += "width=\"\(point(max(width, 0)))\" height=\"\(point(max(height, 0)))\"\(corner)\(shade)"
    body += tip.isEmpty ? "/>\n" : "><title>\(Markup.xml(tip))</title></rect>\n"
  }

  /// One line of text, upright, its baseline at `y`.
  public mutating func text(
    _ text: String, x: Double, y: Double, _ ink: Ink = .text, anchor: Anchor = .start,
    size: Double = 12, bold: Bool = false, mono: Bool = false
  ) {
    let anchored = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    let kind = ink.rawValue + (bold ? " strong" : "") + (mono ? " code" : "")
    let sized = size == 12 ? "" : " font-size=\"\(point(size))\""
    body += "<text class=\"\(kind)\" x=\"\(point(x))\" y=\"\(point(y))\"\(anchored)\(sized)>"
    body += Markup.xml(text.replacing("\n", with: " ")) + "</text>\n"
  }

  /// Lines of text below `y`; returns where the last one ends.
  @discardableResult
  public mutating func prose(
    _ text: String, x: Double, y: Double, width: Double, _ ink: Ink = .text, size: Double = 12,
    bold: Bool = false
  ) -> Double {
    // A letter of a sans-serif is about 0.54 of its size wide, a bold one 0.6.
    let columns = Int(width / (size * (bold ? 0.6 : 0.54)))
    var base = y
    for line in TextMeasure.wrap(text, columns) {
      base += size * 1.35
      self.text(line, x: x, y: base, ink, size: size, bold: bold)
    }
    return base + size * 0.35
  }

  /// A straight line.
  public mutating func line(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ ink: Ink = .line,
    width: Double = 1, dashed: Bool = false, opacity: Double = 1
  ) {
    let dash = dashed ? " stroke-dasharray=\"4 3\"" : ""
    let shade = opacity < 1 ? " stroke-opacity=\"\(point(max(opacity, 0)))\"" : ""
    body += "<line class=\"s-\(ink.rawValue)\" x1=\"\(point(from.x))\" y1=\"\(point(from.y))\" "
    body += "x2=\"\(point(to.x))\" y2=\"\(point(to.y))\" stroke-width=\"\(point(width))\""
    body += "\(dash)\(shade)/>\n"
  }

  /// A line through points; it breaks where one is not finite.
  public mutating func polyline(
    _ points: [(x: Double, y: Double)], _ ink: Ink, width: Double = 1.5, dashed: Bool = false,
    opacity: Double = 1
  ) {
    let dash = dashed ? " stroke-dasharray=\"4 3\"" : ""
    let shade = opacity < 1 ? " stroke-opacity=\"\(point(max(opacity, 0)))\"" : ""
    for part in points.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite })
    where part.count > 1 {
      let list = part.map { "\(point($0.x)),\(point($0.y))" }.joined(separator: " ")
      body += "<polyline class=\"s-\(ink.rawValue)\" fill=\"none\" points=\"\(list)\" "
      body += "stroke-width=\"\(point(width))\" stroke-linejoin=\"round\"\(dash)\(shade)/>\n"
    }
  }

  /// A filled circle.
  public mutating func dot(x: Double, y: Double, radius: Double, _ ink: Ink, tip: String = "") {
    body += "<circle class=\"\(ink.rawValue)\" cx=\"\(point(x))\" cy=\"\(point(y))\" "
    body += "r=\"\(point(radius))\""
    body += tip.isEmpty ? "/>\n" : "><title>\(Markup.xml(tip))</title></circle>\n"
  }

  /// Title and summary at the top; what follows goes below `height`.
  public mutating func heading() {
    height = prose(title, x: 12, y: height, width: width - 24, size: 15, bold: true)
    if !summary.isEmpty {
      height = prose(summary, x: 12, y: height, width: width - 24, .faint)
    }
    height += 6
  }

  /// The document.
  public var svg: String {
    let (w, h) = (point(width), point(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="trit-drawing" role="img" \
      aria-label="\(Markup.xml(title))" viewBox="0 0 \(w) \(h)" width="\(w)" height="\(h)" \
      style="max-width:100%;height:auto">
      <title>\(Markup.xml(title))</title>
      <desc>\(Markup.xml(summary.isEmpty ? title : summary))</desc>
      <style>\(Self.style)</style>
      <rect class="ground" width="\(w)" height="\(h)" rx="6"/>
      \(body)</svg>
      """
  }

  /// The document with a text for terminals.
  public func image(plain: String) -> SVGImage { SVGImage(svg, plain: plain) }

  /// The same in every picture, so that a page that holds several means one thing by each name.
  /// Text is the picture's own `currentColor`, on a ground of its own: a page that is light while
  /// the reader's scheme is dark, as JupyterLab's can be, stays readable.
  private static let style: String = {
    let tints = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#b8a800"]
    func rules(_ p: String, _ fill: [(String, String)]) -> String {
      fill.map { "\(p).\($0.0){fill:\($0.1)}" }.joined()
    }
    let p = ".trit-drawing "
    var css = ".trit-drawing{color:#1b1f24;font-family:system-ui,-apple-system,'Segoe UI',"
    css += "Roboto,Helvetica,Arial,sans-serif;font-size:12px}"
    css += "\(p).text{fill:currentColor}\(p).strong{font-weight:600}"
    css += "\(p).code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
    css += "monospace}"
    css += rules(
      p,
      [
        ("ground", "#ffffff"), ("plus", "#0072b2"), ("onPlus", "#ffffff"), ("zero", "#e4e8eb"),
        ("onZero", "#1b1f24"), ("minus", "#e69f00"), ("onMinus", "#1b1f24"),
        ("faint", "#57606a"), ("line", "#8a939b"), ("mark", "#b84a00"),
      ])
    css += rules(p, tints.enumerated().map { ("tint\($0.offset)", $0.element) })
    css += "\(p)line{fill:none}"
    let strokes = [
      ("text", "currentColor"), ("faint", "#57606a"), ("line", "#8a939b"), ("mark", "#b84a00"),
      ("plus", "#0072b2"), ("zero", "#8a939b"), ("minus", "#e69f00"),
    ]
    css += strokes.map { "\(p).s-\($0.0){stroke:\($0.1)}" }.joined()
    css += "@media (prefers-color-scheme:dark){.trit-drawing{color:#e6edf3}"
    css += rules(
      p,
      [
        ("ground", "#15191e"), ("zero", "#3a424b"), ("onZero", "#e6edf3"), ("faint", "#a3adb8"),
        ("mark", "#ff9d5c"), ("plus", "#56b4e9"), ("onPlus", "#10151a"),
      ])
    css += "\(p).s-faint{stroke:#a3adb8}\(p).s-mark{stroke:#ff9d5c}\(p).s-plus{stroke:#56b4e9}"
    return css + "}"
  }()
}
