import Foundation
import Testing
import TritExperiments
import TritLab

/// What figures say is so: no figure that nobody measured, no axis that hides a difference, no two
/// variants with one name.
@Suite(
  .enabled(if: FigureLayoutTests.gnuplot != nil, "gnuplot is not installed")
) struct FigureTruthTests {
  typealias Layout = FigureLayoutTests

  /// The rows of a table of a figure, without its heading.
  private static func table(_ directory: String, _ figure: String) throws -> [[String]] {
    try String(contentsOfFile: "\(directory)/plots/\(figure).tsv", encoding: .utf8)
      .split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
  }

  private static func texts(_ directory: String, _ figure: String) throws -> [String] {
    let picture = try FigurePicture(path: "\(directory)/plots/\(figure).svg")
    #expect(picture.faults() == [], "\(figure)")
    return picture.texts.map(\.text)
  }

  @Test func anErrorIsNeverWrittenAsZero() {
    for (value, error, text) in [
      (5.57, 0.49, "5.57 ± 0.49"), (16.7, 1.9, "16.7 ± 1.9"), (265, 31, "265 ± 31"),
      (2.5e-4, 2.1e-5, "2.5e-4 ± 2.1e-5"), (0.0092, 0.002, "0.0092 ± 0.0020"),
      (5.12345, 3e-6, "5.123450 ± 0.000003"), (1e-3, 5, "0.0 ± 5.0"),
      (4.2, 1e-12, "4.2 ± 1.0e-12"), (2.5e7, 3e5, "2.5e7 ± 3.0e5"),
    ] {
      #expect(Report.text(value, error: error) == text)
    }
  }

  /// The reference and the floor are far away: the axis is that of the variants.
  @Test func anAxisShowsDifferencesThatAreSmall() throws {
    try withTemporaryFolder { folder in
      var records = [try Layout.record(-1, label: "reference", params: [:])]
      records += try (0..<5).map {
        try Layout.record(
          $0, label: "v\($0)", params: [:],
          changes: [
            "perplexity.value": 5.12345 + 1e-5 * Double($0), "perplexity.error": 3e-6,
            "model.linear_bytes": 1e9 + 1e7 * Double($0),
          ])
      }
      let figures = ["perplexity-by-variant", "size-vs-perplexity"]
      let (directory, _) = try Layout.draw(records, figures: figures, in: folder)
      for figure in figures {
        let texts = try Self.texts(directory, figure)
        #expect(texts.contains("below the axis: floor 2.000: entropy of the source"), "\(texts)")
        let picture = try FigurePicture(path: "\(directory)/plots/\(figure).svg")
        let places = picture.symbols.map { figure == figures[0] ? $0.x : $0.y }
        #expect((places.max() ?? 0) - (places.min() ?? 0) > 150, "\(figure): \(places)")
        // Ticks: no two say the same.
        let ticks = texts.filter { $0.hasPrefix("5.12") && !$0.contains("±") }
        #expect(ticks.count > 1 && Set(ticks).count == ticks.count, "\(figure): \(ticks)")
      }
      // Points of sizes that differ by a hundredth stand apart.
      let sizes = try FigurePicture(path: "\(directory)/plots/size-vs-perplexity.svg").symbols
      #expect(Set(sizes.map { ($0.x / 4).rounded() }).count == 5)
    }
  }

  @Test func namesThatDifferStayDifferent() throws {
    let names = (0..<60).map { "quantizer=absmean:group=64, activations=int8, number \($0)" }
    let cut = PlotText.fit(names: names, room: 90, size: 11)
    #expect(Set(cut).count == 60, "\(cut.prefix(3))")
    #expect(cut.allSatisfy { PlotText.width($0, size: 11) <= 90 })
    #expect(PlotText.fit(names: ["a", "b"], room: 90, size: 11) == ["a", "b"])
    // Equal names stay equal.
    #expect(Set(PlotText.fit(names: [names[0], names[0]], room: 60, size: 11)).count == 1)
    try withTemporaryFolder { folder in
      let records = try names.prefix(12).enumerated().map {
        try Layout.record($0.offset, label: $0.element, params: [:])
      }
      let (directory, _) = try Layout.draw(
        records, figures: ["perplexity-by-variant", "kl-by-position"], in: folder)
      let rows = try Self.table(directory, "perplexity-by-variant").map { $0[3] }
      #expect(Set(rows).count == 12, "\(rows)")
      let panels = try Self.texts(directory, "kl-by-position").filter { $0.contains("…") }
      #expect(Set(panels).count == panels.count && panels.count > 5, "\(panels)")
    }
  }

  /// A speed that was not measured is no speed of 0, and a variant without a size is told.
  @Test func whatWasNotMeasuredIsNotZero() throws {
    try withTemporaryFolder { folder in
      let records = try (0..<3).map {
        try Layout.record(
          $0, label: "v\($0)", params: [:],
          changes: $0 == 1
            ? ["speed.decode.tokens_per_second": .nan, "model.linear_bytes": .nan] : [:])
      }
      let (directory, _) = try Layout.draw(
        records, figures: ["throughput", "size-vs-perplexity"], in: folder)
      let row = try #require(try Self.table(directory, "throughput").first { $0[5] == "v1" })
      #expect(row[7] == "–" && row[6] != "–")
      #expect(try Self.texts(directory, "throughput").contains("not measured: v1"))
      #expect(
        try Self.texts(directory, "size-vs-perplexity").contains(
          "no figure in MiB, so not drawn: v1"))
    }
  }

  /// Kung, Luccio and Preparata, "On finding the maxima of a set of vectors" (1975): what no other
  /// is as good as in both and better in one. Equal ones are all on the front.
  @Test func theFrontIsThatOfPareto() throws {
    try withTemporaryFolder { folder in
      let points = [(1.0, 5.0), (1, 5), (1, 6), (2, 4), (3, 4), (4, 3), (5, 7), (.nan, 1)]
      let records = try points.enumerated().map {
        try Layout.record(
          $0, label: "p\($0)", params: [:],
          changes: ["model.linear_bytes": $1.0 * 1_048_576, "perplexity.value": $1.1])
      }
      let (directory, _) = try Layout.draw(records, figures: ["size-vs-perplexity"], in: folder)
      let rows = try Self.table(directory, "size-vs-perplexity")
      let front = rows.filter { $0.count > 9 && $0[9] == "1" }
        .map { ($0[3] + $0[4]).trimmingCharacters(in: .whitespaces) }
      #expect(front == ["p0", "p1", "p3", "p5"])
      let steps = rows.filter { $0.count == 2 }.map { $0.compactMap(Double.init) }
      #expect(steps == [[1, 5], [1, 5], [1, 5], [2, 5], [2, 4], [4, 4], [4, 3]])
    }
  }

  /// Eight curves whose bars lie on each other have panels of their own; positions without a
  /// divergence are told where the axis has no zero.
  @Test func curvesThatCannotBeFollowedStandApart() throws {
    try withTemporaryFolder { folder in
      var records = try (0..<8).map {
        try Layout.record($0, label: "v\($0)", params: ["cache": "c\($0)"])
      }
      for index in records.indices {
        records[index].series["divergence.by_position"]?.columns["error"] = Array(
          repeating: 0.05, count: 8)
      }
      let (directory, _) = try Layout.draw(records, figures: ["kl-by-position"], in: folder)
      let script = try String(
        contentsOfFile: "\(directory)/plots/kl-by-position.gp", encoding: .utf8)
      // Two of them lie on each other everywhere, and share one.
      #expect(script.contains("\npanels = 7\n"))
      _ = try Self.texts(directory, "kl-by-position")

      records = Array(records.prefix(2))
      records[0].series["divergence.by_position"]?.columns["kld"] = [0, 1, 2, 3, 4, 5, 6, 7]
      let again = try Layout.draw(records, figures: ["kl-by-position"], in: folder)
      #expect(
        try Self.texts(again.directory, "kl-by-position").contains(
          "0 at some positions, which this axis does not have: v0"))
    }
  }

  /// A map says what is no part of the sweep and what failed, in letters that are read on every
  /// colour (WCAG 2.2, 1.4.3: a contrast of 4.5).
  @Test func aMapNamesWhatItLacks() throws {
    try withTemporaryFolder { folder in
      var records: [RunRecord] = []
      for quantizer in ["none", "int8", "twn", "sign"] {
        for cache in ["f32", "f16", "int8"] where (quantizer, cache) != ("twn", "f16") {
          records.append(
            try Layout.record(
              records.count, label: "\(quantizer) · \(cache)",
              params: ["quantizer": quantizer, "cache": cache]))
        }
      }
      records[1].status = .failed
      records[1].metrics = [:]
      let (directory, _) = try Layout.draw(records, figures: ["heat-map"], in: folder)
      let texts = try Self.texts(directory, "heat-map")
      #expect(texts.contains("–") && texts.contains("failed"), "\(texts)")
      func luminance(_ text: String) -> Double {
        let colour = Int(text) ?? 0
        let parts = [colour >> 16, colour >> 8 & 255, colour & 255].map { part -> Double in
          let share = Double(part) / 255
          return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
      }
      let rows = try Self.table(directory, "heat-map")
      #expect(rows.count == 12)
      for row in rows {
        let both = [luminance(row[6]), luminance(row[8])].sorted()
        #expect((both[1] + 0.05) / (both[0] + 0.05) >= 4.5, "\(row)")
      }
    }
  }

  /// Seeds are no scale: what goes from left to right or down is the other axis.
  @Test func aSweepOverSeedsIsDrawnByTheOtherAxis() throws {
    try withTemporaryFolder { folder in
      let records = try (0..<15).map {
        try Layout.record(
          $0, label: "\(["twn", "sign", "int8"][$0 % 3]) · seed \($0 / 3)",
          params: ["quantizer": ["twn", "sign", "int8"][$0 % 3], "seed": "\($0 / 3)"])
      }
      let (directory, _) = try Layout.draw(
        records, figures: ["sweep", "perplexity-by-variant"], in: folder)
      let sweep = try Self.texts(directory, "sweep")
      #expect(sweep.contains("seed") && sweep.contains("twn"), "\(sweep)")
      let script = try String(contentsOfFile: "\(directory)/plots/sweep.gp", encoding: .utf8)
      #expect(script.contains("\nby_rows = 1\n"))
      #expect(try Self.texts(directory, "perplexity-by-variant").contains("seed 0"))
    }
  }

  /// Sixty variants: figures stand before the long tables, which are folded; a warning of all is
  /// one line; the Markdown begins with the answer too.
  @Test func aReportOfSixtyVariantsIsRead() throws {
    try withTemporaryFolder { folder in
      var records = [try Layout.record(-1, label: "reference", params: [:])]
      records += try (0..<60).map {
        try Layout.record($0, label: "v\($0)", params: ["quantizer": "q\($0)"])
      }
      for index in records.indices {
        records[index].facts[Warnings.key("speed")] = "others used the machine: \(index) %"
      }
      let (directory, _) = try Layout.draw(
        records, figures: ["perplexity-by-variant"], in: folder)
      let page = try String(contentsOfFile: directory + "/report.html", encoding: .utf8)
      let places = try ["class=\"answer\"", "<h2>Results", "<figure>", "<h2>What was compared"]
        .map { try #require(page.range(of: $0), "\($0)").lowerBound }
      #expect(places == places.sorted())
      #expect(page.contains("<details><summary>60 rows</summary>"))
      #expect(
        page.components(separatedBy: "<details>").count
          == page.components(separatedBy: "</details>").count)
      let summary = try String(contentsOfFile: directory + "/summary.md", encoding: .utf8)
      let bold = try #require(summary.split(separator: "\n").first { $0.hasPrefix("**") })
      #expect(bold.contains("has the lowest perplexity of 60 variants"))
      let image = try #require(summary.range(of: "!["))
      let table = try #require(summary.range(of: "## What was compared"))
      #expect(image.lowerBound < table.lowerBound)
      // The figure of the answer is the first column.
      #expect(summary.contains("| Variant | Parameters | Perplexity |"), "\(summary.prefix(900))")
      #expect(summary.contains("and 60 others, speed: others used the machine"))
    }
  }
}
