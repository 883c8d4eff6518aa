internal import Foundation
internal import TritCore

/// What gnuplot's SVG lacks: a title and a description for those who hear the figure, and colours
/// that follow the reader's scheme.
enum FigureSVG {
  /// Colours of `style.gp` on white, and what stands for them on dark ground.
  private static let dark = [
    ("#ffffff", "#15191e"), ("#1b1f24", "#e6edf3"), ("#000000", "#e6edf3"), ("#5c6670", "#a3adb8"),
    ("#e4e8eb", "#2c333b"), ("#eef1f4", "#1f252c"), ("#0072b2", "#4aa3df"), ("#009e73", "#25c795"),
    ("#d55e00", "#ff8a3d"), ("#cc79a7", "#e59bc6"), ("#56b4e9", "#9bd7ff"), ("#b8a800", "#d9cb2b"),
    ("#9aa4ad", "#7d8893"),
  ]

  /// The document with `title` and `words`, ids that begin with `prefix`, and a style sheet for
  /// dark ground.
  static func finished(_ svg: String, title: String, words: String, prefix: String) -> String {
    guard let start = svg.range(of: "<svg") else { return svg }
    var body = String(svg[start.upperBound...])
    // gnuplot's own say 'Gnuplot', 'gnuplot_plot_1': nothing that anybody wants to hear or to see
    // under the pointer.
    for pattern in ["<title>[^<]*</title>\\s*", "<desc>[^<]*</desc>\\s*"] {
      body = body.replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
    guard let end = body.firstIndex(of: ">") else { return svg }
    let head = body[..<end].split { $0.isWhitespace }.joined(separator: " ")
    var rest = named(String(body[body.index(after: end)...]), prefix: prefix)
    // gnuplot wipes a disc in the colour of the paper behind each point of 'yerrorbars', and the
    // bar with it.
    rest = rest.replacing(/<use [^>]*color='#FFFFFF'\/>\s*/, with: "")
    rest = hexadecimal(rest)
    return """
      <?xml version="1.0" encoding="utf-8"?>
      <svg class="trit-figure" role="img" aria-labelledby="\(prefix)-title \(prefix)-desc" \(head)>
      <title id="\(prefix)-title">\(ReportText.html(VisibleText.line(title)))</title>
      <desc id="\(prefix)-desc">\(ReportText.html(words))</desc>
      <style>\(style)</style>

      """ + rest.drop { $0.isWhitespace }
  }

  /// gnuplot gives the same ids to its symbols in every file; on one page they must differ.
  private static func named(_ svg: String, prefix: String) -> String {
    var svg = svg
    for pattern in [#"( id=["'])"#, #"(xlink:href=["']#)"#, #"(url\(#)"#] {
      svg = svg.replacingOccurrences(
        of: pattern, with: "$1\(prefix)-", options: .regularExpression)
    }
    return svg
  }

  /// `rgb( 27, 31, 36)` as `#1b1f24`: one form, by which the style sheet finds it.
  private static func hexadecimal(_ svg: String) -> String {
    svg.replacing(/rgb\(\s*([0-9]+),\s*([0-9]+),\s*([0-9]+)\)/) { match in
      let parts = [match.output.1, match.output.2, match.output.3].map { part in
        let digits = String(min(Int(part) ?? 0, 255), radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }
      return "#" + parts.joined()
    }
    .replacing("\"#FFFFFF\"", with: "\"#ffffff\"").replacing("'black'", with: "'#000000'")
    .replacing("\"black\"", with: "\"#000000\"")
  }

  private static let style: String = {
    var css = ".trit-figure{max-width:100%;height:auto}"
    css += "@media (prefers-color-scheme:dark){"
    for (light, dark) in dark {
      css += ["stroke", "fill", "color"].map { ".trit-figure [\($0)=\"\(light)\"]{\($0):\(dark)}" }
        .joined()
    }
    return css + "}"
  }()
}
