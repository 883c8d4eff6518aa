import Foundation
import Testing
import TritLab

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Looks of values: texts as they are printed, and pictures as documents.
@Suite struct DrawingTests {
  /// Every kind of drawing, with names that would break a document that did not escape them.
  static func drawings() throws -> [any Drawable] {
    let nasty = "a<b> & \"c\" 'd' ]]> \u{1} <\u{301}x"
    let trits = TernaryMatrix(
      rows: 2, columns: 40, trits: AlignedBuffer((0..<80).map { Int8($0 % 3 - 1) }),
      scales: [0.5, 2], granularity: .row)
    return [
      TritGrid(trits, nasty),
      try IntegerGrid(nasty, rows: 2, columns: 2, values: [-128, 0, 127, 5], rowLabels: [nasty]),
      ByteGrid(nasty, [0, 255, 16], form: .binary, marked: [1]),
      try BitFields(nasty, word: 0x65, fields: [.init(nasty, width: 4), .init("b", width: 4)]),
      NumberLine(
        nasty, points: [.init(-0.7, to: -1), .init(0.2, to: 0)], thresholds: [-0.5, 0.5],
        levelNames: [0: nasty]),
      Histogram(nasty, [1, 2, 2, .nan, .infinity], thresholds: [1.5]),
      Bars(nasty, summary: nasty, [.init(nasty, 3), .init("b", -.infinity)]),
      try PackingDrawing(I2SPacking(), trits, summary: nasty),
      try QuantizerDrawing(
        AbsmeanQuantizer(), Matrix(rows: 1, columns: 3, [1, -2, 0.1] as [Float]), summary: nasty),
      ActivationDrawing(Int8Activations(), [1, -2, 0.5], summary: nasty),
      try ProductDrawing(
        TritGrid(rows: 1, columns: 3, trits: [1, 0, -1]), [127, -128, 3]),
      Sheet(nasty, nasty, [.text(nasty), .listing(nasty), .table(Table([nasty], [[nasty]]))]),
    ]
  }

  @Test func axesSayWhereNumbersLie() throws {
    let axes = SVGAxes(
      x: 1...100, y: 0...10, left: 10, top: 0, right: 110, bottom: 50, logarithmic: "x")
    let middle = axes.point(10, 5)
    #expect(abs(middle.x - 60) < 1e-9 && middle.y == 25)
    #expect(axes.point(1, 0) == (10, 50) && axes.point(100, 10) == (110, 0))
    #expect(!axes.point(-1, 0).x.isFinite)
    let flat = SVGAxes(x: 3...3, y: 0...1, left: 0, top: 0, right: 8, bottom: 8)
    #expect(flat.point(3, 1) == (4, 0))
    var canvas = SVGCanvas("axes", height: 90)
    canvas.axes(axes, xTicks: [1, 10, 100], yTicks: [0, 2.5], x: "a<b", y: "c")
    canvas.polyline([1, 2, .nan, 4, 50, 60].map { axes.point($0, 3) }, .plus, dashed: true)
    canvas.polyline([axes.point(1, 1)], .minus)
    // The line breaks where a number is none; a single point is no line.
    #expect(canvas.svg.components(separatedBy: "<polyline").count == 3)
    for word in [">2.5<", ">100<", "a&lt;b"] { #expect(canvas.svg.contains(word), "\(word)") }
    #expect(XMLParser(data: Data(canvas.svg.utf8)).parse())
  }

  @Test func picturesAreWellFormedAndWholeByThemselves() throws {
    for drawing in try Self.drawings() {
      let svg = try #require(drawing.displayData[.svg])
      let parser = XMLParser(data: Data(svg.utf8))
      #expect(parser.parse(), "\(drawing.heading): \(String(describing: parser.parserError))")
      #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
      for part in ["role=\"img\"", "viewBox=\"0 0 ", "<title>", "<desc>", "prefers-color-scheme"] {
        #expect(svg.contains(part), "\(drawing.heading): \(part)")
      }
      // Nothing is fetched, nothing runs, and no name can collide with one of the page's.
      for part in ["href", "<script", "url(", "@import", " id=", "nan", "inf\""] {
        #expect(!svg.contains(part), "\(drawing.heading): \(part)")
      }
    }
  }

  @Test func textsFitATerminal() throws {
    for drawing in try Self.drawings() {
      let plain = drawing.displayData.plain
      #expect(!plain.isEmpty)
      for line in plain.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test func tritsAsText() throws {
    let grid = try TritGrid(rows: 2, columns: 3, trits: [1, 0, -1, -1, 1, 0], notes: ["a", "b"])
    #expect(
      grid.displayData.plain.split(separator: "\n") == [
        "     0 1 2", "  0  + 0 -  a", "  1  - + 0  b",
      ])
  }

  @Test func wideGridsAreCutIntoRunsOfEight() throws {
    let grid = try TritGrid(rows: 1, columns: 130, trits: [Int8](repeating: 0, count: 130))
    let plain = grid.displayData.plain
    #expect(plain.contains("  0  00000000 00000000"))
    #expect(plain.contains("the first 1 × 128 of 1 × 130"))
  }

  @Test func integersAndBytesAsText() throws {
    #expect(
      try IntegerGrid(rows: 1, columns: 3, values: [-127, 0, 12]).displayData.plain.hasSuffix(
        "  0  -127    0   12"))
    #expect(
      ByteGrid("", [0x24, 0x49], offset: 32).displayData.plain.hasSuffix(" 32  24 49"))
    #expect(ByteGrid("", [0x65], form: .binary).displayData.plain.hasSuffix("01100101"))
  }

  @Test func shapesThatDoNotFitAreErrors() {
    #expect(throws: LabError.self) { try TritGrid(rows: 2, columns: 2, trits: [1]) }
    #expect(throws: LabError.self) { try TritGrid(rows: .max, columns: 2, trits: [1]) }
    #expect(throws: LabError.self) { try IntegerGrid(rows: -1, columns: -1, values: [1]) }
    #expect(throws: LabError.self) { try BitFields(word: 256, fields: [.init("a", width: 8)]) }
    #expect(throws: LabError.self) { try BitFields(word: 1, fields: [.init("a", width: 7)]) }
    #expect(throws: LabError.self) { try Frames("k", values: ["1"], frames: []) }
  }

  /// The byte of bitnet.cpp's TL1 example: (+1, −1) and (0, +1) are indices 6 and 5, 0x65.
  @Test func fieldsOfAByte() throws {
    let plain = try BitFields(
      "TL1", word: 0x65, fields: [.init("w0 w1", width: 4), .init("w2 w3", width: 4)]
    ).displayData.plain
    #expect(plain.contains("0110 0101"))
    #expect(plain.contains("7…4    0110     6  w0 w1"))
  }

  @Test func binsCountEveryFiniteValueOnce() {
    let values = [0, 1, 2, 3, 4, .nan, -.infinity] + [Double](repeating: 4, count: 3)
    let histogram = Histogram("", values, bins: 4)
    #expect(histogram.counts == [1, 1, 1, 5])
    #expect(histogram.edges == [0, 1, 2, 3, 4])
    #expect(Histogram("", [7.0], bins: 3).counts.reduce(0, +) == 1)
    #expect(Histogram("", [Double](), bins: 3).counts == [0, 0, 0])
    let wide = Histogram("", [-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude], bins: 2)
    #expect(wide.counts == [1, 1])
  }

  /// arXiv:2402.17764, equations 1–3, by hand: γ = (0.8 + 0.1 + 0.3 + 0.4) / 4 = 0.4, so thresholds
  /// at 0.2, and 0.1 alone is 0.
  @Test func absmeanIsWorkedOut() throws {
    let drawing = try QuantizerDrawing(
      AbsmeanQuantizer(), Matrix(rows: 2, columns: 2, [0.8, -0.1, 0.3, -0.4] as [Float]))
    #expect(drawing.thresholds.map { ($0 * 1e6).rounded() / 1e6 } == [-0.2, 0.2])
    let plain = drawing.displayData.plain
    #expect(plain.contains("γ = mean |W| = 0.4"))
    #expect(plain.contains("  0  + 0\n  1  + -"))
    // (0.4² + 0.1² + 0.1² + 0²) / (0.8² + 0.1² + 0.3² + 0.4²) = 0.18 / 0.9
    #expect(abs(drawing.relativeError - 0.2) < 1e-6)
  }

  /// Σ code · q − Σ q = Σ trit · q, with the corners of int8.
  @Test func codesAndTritsGiveOneSum() throws {
    let drawing = try ProductDrawing(
      TritGrid(rows: 2, columns: 4, trits: [1, 0, -1, 1, -1, -1, -1, -1]), [127, -128, 3, -127])
    #expect((0..<2).map { drawing.sum(row: $0) } == [-3, 125])
    for row in 0..<2 {
      #expect(drawing.codeSum(row: row) - drawing.activationSum == drawing.sum(row: row))
    }
    #expect(throws: LabError.self) { try ProductDrawing(drawing.trits, [1]) }
  }

  @Test func aSliderShowsOneFrameAndNamesNothingTwice() throws {
    let frame =
      "<?xml version=\"1.0\"?><svg><defs><path id='p'/></defs>"
      + "<use xlink:href='#p'/><rect fill=\"url(#p)\"/></svg>"
    let slider = try Frames("k <1>", values: ["a\"b", "2", "3"], frames: [frame, frame, frame])
    let html = try #require(slider.displayData[.html])
    #expect(html.ranges(of: " hidden>").count == 2)
    #expect(html.contains("<output>2</output>"))
    #expect(html.contains("k &lt;1&gt;") && html.contains("a&quot;b"))
    #expect(!html.contains("<?xml") && !html.contains("<script"))
    let ids = html.matches(of: /id='([^']+)'/).map { String($0.output.1) }
    #expect(Set(ids).count == 3)
    for id in ids { #expect(html.contains("href='#\(id)'") && html.contains("url(#\(id))")) }
    #expect(slider.displayData[.svg] == "<svg><defs>" + frame.split(separator: "<defs>")[1])
    #expect(
      XMLParser(
        data: Data(
          html.replacing(" hidden", with: "").replacing(
            "xlink:href", with: "href"
          ).replacing(/<input[^>]*>/, with: "").utf8)
      ).parse())
  }

  @Test(arguments: [
    (0.0, "0"), (1, "1"), (-0.5, "−0.5"), (0.30000000000000004, "0.3"), (123456, "123456"),
    (9.9999, "10"), (1e-5, "1e-5"), (1.7976931348623157e308, "1.798e308"), (5e-324, "4.941e-324"),
    (.infinity, "∞"), (2.5e-4, "0.00025"),
  ])
  func numbersAreShort(value: Double, text: String) {
    let bars = Bars("", [.init("x", value)])
    #expect(bars.displayData.plain.hasSuffix(" \(text)"), "\(bars.displayData.plain)")
  }
}
