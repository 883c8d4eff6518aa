import Foundation
import FoundationXML
import Testing

/// What an SVG of gnuplot's draws, as places on the paper: texts with their boxes, lines, areas,
/// symbols.
final class FigurePicture: NSObject, XMLParserDelegate {
  struct Box {
    var left: Double, top: Double, right: Double, bottom: Double
    func meets(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }
  struct Text {
    var text: String
    var box: Box
    var size = 11.0
  }
  struct Line {
    var points: [(x: Double, y: Double)]
    var ink: String
    var isGrid: Bool
  }

  private(set) var texts: [Text] = []
  private(set) var lines: [Line] = []
  private(set) var areas: [(box: Box, ink: String)] = []
  private(set) var symbols: [(x: Double, y: Double, ink: String)] = []
  private(set) var width = 0.0
  private(set) var height = 0.0
  private(set) var root: [String: String] = [:]
  private(set) var words: [String: String] = [:]
  private var stack: [[String: String]] = []
  private var open = ""
  private var spoken = ""
  private var depth = 0

  init(path: String) throws {
    super.init()
    let parser = XMLParser(data: Data(try String(contentsOfFile: path, encoding: .utf8).utf8))
    parser.delegate = self
    #expect(parser.parse(), "\(path): \(String(describing: parser.parserError))")
  }

  /// Widths of Helvetica in thousandths of the size, from the space to the tilde (Adobe's AFM file,
  /// version 002).
  static let helvetica: [Double] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]

  private static func ems(_ character: Character) -> Double {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if (0x20...0x7E).contains(scalar.value) { return helvetica[Int(scalar.value) - 0x20] / 1000 }
    if scalar.properties.generalCategory == .nonspacingMark { return 0 }
    return scalar.value >= 0x2E80 ? 1 : 0.556
  }

  private static func numbers(_ text: String) -> [Double] {
    text.split { !"0123456789.-e".contains($0) }.compactMap { Double($0) }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open = name
    spoken = ""
    if name == "svg" {
      root = attributes
      let size = Self.numbers(attributes["viewBox"] ?? "")
      if size.count == 4 { (width, height) = (size[2], size[3]) }
    }
    if name == "defs" { depth += 1 }
    guard depth == 0 else { return }
    let inherited = stack.last ?? [:]
    if name == "g" {
      var own = inherited.filter { $0.key != "transform" }
      own.merge(attributes) { $1 }
      stack.append(own)
      return
    }
    let ink = attributes["stroke"] ?? inherited["color"] ?? ""
    switch name {
    case "path":
      add(path: attributes["d"] ?? "", ink: ink, isGrid: attributes["class"] == "gridline")
    case "polygon":
      let found = Self.numbers(attributes["points"] ?? "")
      let xs = stride(from: 0, to: found.count - 1, by: 2).map { found[$0] }
      let ys = stride(from: 1, to: found.count, by: 2).map { found[$0] }
      if let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() {
        areas.append(
          (Box(left: left, top: top, right: right, bottom: bottom), attributes["fill"] ?? ""))
      }
    case "use":
      let place = Self.numbers(
        (attributes["transform"] ?? "").components(separatedBy: "scale").first ?? "")
      if place.count == 2 { symbols.append((place[0], place[1], attributes["color"] ?? "")) }
    default: break
    }
  }

  private func add(path: String, ink: String, isGrid: Bool) {
    var points: [(x: Double, y: Double)] = []
    func end() {
      if points.count > 1 { lines.append(Line(points: points, ink: ink, isGrid: isGrid)) }
      points = []
    }
    for token in path.replacingOccurrences(of: "\n", with: " ").split(separator: " ") {
      let place = Self.numbers(String(token))
      guard place.count == 2 else { continue }
      if token.hasPrefix("M") { end() }
      points.append((place[0], place[1]))
    }
    end()
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { spoken += string }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    if name == "defs" { depth -= 1 }
    guard depth == 0 else { return }
    if name == "title" || name == "desc" { words[name] = spoken }
    if name == "g" { stack.removeLast() }
    guard name == "text", let group = stack.last,
      !spoken.trimmingCharacters(in: .whitespaces).isEmpty
    else { return }
    let place = Self.numbers(group["transform"] ?? "")
    let size = Double(group["font-size"] ?? "") ?? 0
    guard place.count >= 2 else { return }
    let length = spoken.reduce(0) { $0 + Self.ems($1) } * size
    let left =
      switch group["text-anchor"] {
      case "end": place[0] - length
      case "middle": place[0] - length / 2
      default: place[0]
      }
    texts.append(
      Text(
        text: spoken,
        box: Box(
          left: left, top: place[1] - 0.72 * size, right: left + length,
          bottom: place[1] + 0.2 * size), size: size))
  }

  /// What is wrong with the layout, a sentence each.
  func faults(tallest: Double = 1500) -> [String] {
    var faults: [String] = []
    if width != 760 || height <= 0 || height > tallest { faults.append("\(width) × \(height)") }
    func isOutside(_ x: Double, _ y: Double) -> Bool {
      x < -0.5 || y < -0.5 || x > width + 0.5 || y > height + 0.5
    }
    for text in texts
    where isOutside(text.box.left, text.box.top) || isOutside(text.box.right, text.box.bottom) {
      faults.append("'\(text.text)' leaves the paper: \(text.box)")
    }
    // A phone shows the figure in its own size, in a box that scrolls.
    for text in texts where text.size < 11 {
      faults.append("'\(text.text)' has letters of \(text.size)")
    }
    for (index, text) in texts.enumerated() {
      for other in texts[(index + 1)...] where text.box.meets(other.box) {
        faults.append("'\(text.text)' lies on '\(other.text)'")
      }
    }
    for line in lines {
      if line.points.contains(where: { isOutside($0.x, $0.y) }) {
        faults.append("a line leaves the paper: \(line.points)")
      }
      guard !line.isGrid else { continue }
      for text in texts where Self.crosses(text.box, line.points) {
        faults.append("'\(text.text)' is crossed by a line of \(line.ink)")
      }
    }
    for symbol in symbols {
      if isOutside(symbol.x, symbol.y) { faults.append("a symbol leaves the paper") }
      if symbol.ink.lowercased() == "#ffffff" { faults.append("a white disc at \(symbol.x)") }
      let box = Box(
        left: symbol.x - 2, top: symbol.y - 2, right: symbol.x + 2, bottom: symbol.y + 2)
      for text in texts where text.box.meets(box) {
        faults.append("a symbol lies on '\(text.text)'")
      }
    }
    return faults
  }

  /// Whether a text's box, less a pixel on every side, is touched by a line.
  private static func crosses(_ box: Box, _ points: [(x: Double, y: Double)]) -> Bool {
    let inner = Box(
      left: box.left + 1, top: box.top + 1, right: box.right - 1, bottom: box.bottom - 1)
    return zip(points, points.dropFirst()).contains { from, to in
      let steps = max(1, Int(max(abs(to.x - from.x), abs(to.y - from.y)) / 0.5))
      return (0...min(steps, 4000)).contains { step in
        let share = Double(step) / Double(min(steps, 4000))
        let (x, y) = (from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share)
        return x > inner.left && x < inner.right && y > inner.top && y < inner.bottom
      }
    }
  }
}
