import Foundation
import TritLab

/// Drawings that the lab makes of its own stages: what quantizers make of a weight, and truncation
/// of a distribution.
enum SiteDrawing {
  /// Colours of the style sheet.
  private static let colours = 4

  /// A drawing of the members of a group; empty where there is none of their kind.
  static func drawing(of descriptors: [StageDescriptor], kind: StageInformation, lab: Lab) -> String
  {
    let names = descriptors.filter { $0.unavailable == nil }.map(\.name).prefix(colours)
    switch kind.key {
    case .quantizer: return staircase(Array(names), lab)
    case .processor: return truncation(Array(names), lab)
    default: return ""
    }
  }

  // MARK: Quantizers

  /// Quantiles of a standard Gaussian, the weights that are quantized; sorted.
  static let gaussian: [Float] = (0..<601).map { index in
    let share = (Double(index) + 0.5) / 601
    var (low, high) = (-6.0, 6.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if 0.5 * (1 + erf(middle / 2.0.squareRoot())) < share { low = middle } else { high = middle }
    }
    return Float((low + high) / 2)
  }

  private static func staircase(_ names: [String], _ lab: Lab) -> String {
    let weights = Matrix(rows: 1, columns: gaussian.count, gaussian)
    var curves: [(name: String, values: [Double])] = []
    for name in names {
      let group = StageChoice(name, lab[.quantizer].descriptor(name).map(whole) ?? [:])
      guard let quantizer = try? lab.make(.quantizer, group),
        let quantized = try? quantizer.quantize(weights.view)
      else { continue }
      let result = quantized.dequantized()
      curves.append((name, (0..<gaussian.count).map { Double(result[0, $0]) }))
    }
    guard !curves.isEmpty else { return "" }
    func x(_ value: Double) -> String { String(format: "%.1f", 340 + value * 100) }
    func y(_ value: Double) -> String { String(format: "%.1f", 150 - value * 41) }
    var svg =
      "<line x1=\"40\" y1=\"150\" x2=\"640\" y2=\"150\"/><line x1=\"340\" y1=\"20\" x2=\"340\" y2=\"280\"/>\n"
    for tick in -2...2 where tick != 0 {
      svg += "<text x=\"\(x(Double(tick)))\" y=\"168\" text-anchor=\"middle\">\(tick)</text>"
      svg +=
        "<text x=\"332\" y=\"\(y(Double(tick)))\" text-anchor=\"end\" dy=\".35em\">\(tick)</text>"
    }
    for (index, curve) in curves.enumerated() {
      var points: [String] = []
      for (weight, value) in zip(gaussian, curve.values) where abs(weight) < 3 {
        // A step is upright: the old value up to here, then the new one.
        if let last = points.last?.split(separator: ",").last, last != y(value) {
          points.append("\(x(Double(weight))),\(last)")
        }
        points.append("\(x(Double(weight))),\(y(value))")
      }
      svg += "<polyline class=\"c\(index)\" points=\"\(points.joined(separator: " "))\"/>\n"
      let top = 34 + 24 * index
      svg += "<line class=\"c\(index)\" x1=\"48\" y1=\"\(top)\" x2=\"72\" y2=\"\(top)\"/>"
      svg += "<text x=\"80\" y=\"\(top)\" dy=\".35em\">\(HTML.text(curve.name))</text>\n"
    }
    return drawing(
      svg, height: 300,
      "What a Gaussian weight (across, in standard deviations) becomes (upwards), computed by the lab with one scale "
        + "for all.")
  }

  /// One scale for everything, where a quantizer can be told so.
  private static func whole(_ descriptor: StageDescriptor) -> [String: ParameterValue] {
    descriptor.parameters.contains { $0.name == "granularity" }
      ? ["granularity": .text("tensor")] : [:]
  }

  // MARK: Truncation

  /// A distribution as models have it: few likely tokens and a long tail.
  private static let logits: [Float] = (0..<24).map { rank in
    -0.8 * Float(rank).squareRoot() - 0.03 * Float(rank)
  }

  private static func truncation(_ names: [String], _ lab: Lab) -> String {
    let history = TokenHistory()
    var rows: [(name: String, kept: Set<Int32>)] = []
    for name in names {
      let standard: [String: ParameterValue] = name == "top-k" ? ["k": .integer(8)] : [:]
      guard var processor = try? lab.make(.processor, StageChoice(name, standard)) else { continue }
      var candidates = logits.enumerated().map {
        Candidate(token: Int32($0.offset), logit: $0.element)
      }
      processor.process(&candidates, history: history)
      if candidates.count < logits.count {
        rows.append((name == "top-k" ? "top-k, k = 8" : name, Set(candidates.map(\.token))))
      }
    }
    guard !rows.isEmpty else { return "" }
    var svg = ""
    for (index, row) in rows.enumerated() {
      let base = 70 * (index + 1)
      svg += "<text x=\"40\" y=\"\(base - 6)\">\(HTML.text(row.name))</text>\n"
      for (token, logit) in logits.enumerated() {
        let height = max(1.5, exp(Double(logit)) * 52)
        let kind = row.kept.contains(Int32(token)) ? "kept" : "cut"
        svg +=
          "<rect class=\"\(kind)\" x=\"\(170 + 19 * token)\" y=\"\(String(format: "%.1f", Double(base) - height))\""
        svg += " width=\"14\" height=\"\(String(format: "%.1f", height))\"/>"
      }
      svg += "\n<line x1=\"170\" y1=\"\(base)\" x2=\"626\" y2=\"\(base)\"/>\n"
    }
    return drawing(
      svg, height: 70 * rows.count + 20,
      "Which of 24 tokens stay (filled), by their probabilities, with the parameters that hold where nobody says more."
    )
  }

  private static func drawing(_ svg: String, height: Int, _ caption: String) -> String {
    "<figure><svg class=\"drawing\" viewBox=\"0 0 680 \(height)\" role=\"img\" aria-label=\"\(HTML.text(caption))\">\n"
      + "\(svg)</svg><figcaption>\(HTML.text(caption))</figcaption></figure>\n"
  }
}
