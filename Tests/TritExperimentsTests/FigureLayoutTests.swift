import Foundation
import Testing
import TritExperiments
import TritLab

/// What every figure keeps to, whatever there is to draw: nothing leaves the paper, no text lies on
/// another or under a line, every bar is to be seen, and what is left out is told.
@Suite struct FigureLayoutTests {
  static let gnuplot = Executable.find(
    "gnuplot", path: ProcessInfo.processInfo.environment["PATH"])

  enum Names: String, CaseIterable, Sendable { case short, long, foreign }

  /// A record as `results.jsonl` has it, with a figure of every measure.
  static func record(
    _ index: Int, label: String, params: [String: String], scale: Double = 1,
    changes: [String: Double] = [:]
  ) throws -> RunRecord {
    let wave = 1 + 0.4 * sin(Double(index) * 1.7) + 0.03 * Double(index)
    var metrics: [String: Double] = [
      "perplexity.value": 5 * wave * scale, "perplexity.error": 0.4 * scale,
      "perplexity.floor_nll": log(2), "perplexity.floor": 2,
      "divergence.kld.mean": 0.01 * wave * wave, "divergence.kld.error": 0.002,
      "tasks.accuracy": min(0.9, 0.3 * wave), "tasks.count": 200, "tasks.chance": 0.25,
      "model.linear_bytes": 1e6 * (1 + Double(index % 7)), "model.parameters": 1e6 * wave,
      "model.bits_per_weight": 2, "weights.code_bits_per_weight": 1.58 + Double(index % 5),
      "speed.prefill.tokens_per_second": 900 * wave, "speed.decode.tokens_per_second": 90 * wave,
      "speed.prefill.tokens_per_second_mad": 20, "speed.decode.tokens_per_second_mad": 2,
      "speed.decode.roof_tokens_per_second": 200, "speed.prefill.roof_tokens_per_second": 2000,
      "generate.agreement.tokens": Double(index % 40), "roofline.int8_peak": 1e12,
      "roofline.fp32_peak": 1e11, "roofline.read_bytes_per_second": 1e10,
      "roofline.bits_per_weight": 2, "roofline.is_float": index % 2 == 0 ? 1 : 0,
    ]
    for part in ["linear", "attention", "other", "head", "total"] {
      metrics["energy.\(part).7nm_picojoules"] = 1e6 * wave
      metrics["energy.\(part).45nm_picojoules"] = 3e6 * wave
    }
    for (key, value) in changes { metrics[key] = value.isNaN ? nil : value }
    let steps = (0..<8).map { Double($0) }
    let kinds = ["count", "who", "a kind of question with a long name"]
    let series: [String: Any] = [
      "divergence.by_position": [
        "columns": [
          "position": steps.map { 16 * $0 + 8 },
          "kld": steps.map { 0.01 * wave * (1 + 0.2 * $0) }, "error": steps.map { _ in 0.004 },
        ]
      ],
      "tasks.kinds": [
        "labels": kinds,
        "columns": [
          "accuracy": kinds.indices.map { Double($0 + 1) / 4 }, "count": kinds.map { _ in 60.0 },
          "chance": kinds.map { _ in 0.25 },
        ],
      ],
      "roofline.points": [
        "labels": steps.map { _ in "64x128" },
        "columns": [
          "tokens": steps.map { pow(2, $0) },
          "operations_per_second": steps.map { min(1e12, 1e10 * wave * pow(2, $0)) },
        ],
      ],
    ]
    let object: [String: Any] = [
      "schema": RunRecord.form, "experiment": "drawn", "role": index < 0 ? "reference" : "variant",
      "index": index, "id": "id\(index)", "label": label, "status": "finished", "inputs": "x",
      "started": "2026-11-20T10:25:12Z", "ended": "2026-11-20T10:25:12Z", "params": params,
      "metrics": metrics.filter { $0.value.isFinite },
      "undefined": Dictionary(
        uniqueKeysWithValues: metrics.filter { !$0.value.isFinite }.map {
          ($0.key, "infinite: a test")
        }), "facts": ["roofline kernel": label], "texts": [Any](), "series": series,
    ]
    var document = object
    var all = metrics.filter { $0.value.isFinite } as [String: Any]
    for (key, value) in metrics where !value.isFinite { all[key] = NSNull() }
    document["metrics"] = all
    return try RecordCoding.decode(JSONSerialization.data(withJSONObject: document))
  }

  static func label(_ index: Int, _ names: Names) -> String {
    switch names {
    case .short: "v\(index)"
    case .long:
      "variant \(index) of quantizer=absmean:group=64, WWWWWWWW activations int8 per token"
    case .foreign: "größe \(index) 日本語の変種 עברית 👩‍👩‍👧 «\(index)»"
    }
  }

  /// Draws all figures of `records`. The wrapper takes PNG and PDF away: images are read as SVG,
  /// and a build of gnuplot without cairo is tried on the way.
  static func draw(
    _ records: [RunRecord], figures: [String] = Lab.standard.figures.map(\.key), in folder: String
  ) throws -> (directory: String, notes: [String]) {
    let lines = try records.map { String(decoding: try RecordCoding.encode($0), as: UTF8.self) }
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: folder + "/kept.jsonl")
    try AtomicFile.write(
      "name: drawn\nrecords: kept.jsonl\nplots: [\(figures.joined(separator: ", "))]\n",
      to: folder + "/x.yaml")
    let tools = folder + "/tools"
    try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
    try AtomicFile.write(
      "#!/bin/sh\n/bin/sed -i 's/^has_p\\(..\\) = .*/has_p\\1 = 0/' style.gp\n"
        + "exec '\(gnuplot ?? "")' \"$@\"\n", to: tools + "/gnuplot")
    chmod(tools + "/gnuplot", 0o755)
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = tools
    var notes: [String] = []
    let outcome = try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(force: true, outputDirectory: folder + "/runs", threads: 1),
      backend: FakeBackend(), environment: environment
    ) { if case .note(let note) = $0 { notes.append(note) } }
    return (outcome.directory, notes)
  }

  private static func check(_ directory: String, _ figures: [String], _ what: String) throws {
    for figure in figures {
      let path = "\(directory)/plots/\(figure).svg"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let picture = try FigurePicture(path: path)
      let faults = picture.faults()
      #expect(faults.isEmpty, "\(what), \(figure): \(faults.prefix(4)) of \(faults.count)")
      #expect(picture.texts.count > 3, "\(what), \(figure)")
      #expect(picture.root["role"] == "img")
      #expect(picture.root["aria-labelledby"] == "\(figure)-title \(figure)-desc")
      #expect(picture.words["title"]?.hasPrefix("drawn: ") == true)
      #expect((picture.words["desc"]?.count ?? 0) > 50, "\(what), \(figure)")
    }
  }

  @Test(
    .enabled(if: gnuplot != nil, "gnuplot is not installed"), arguments: [1, 2, 8, 60],
    Names.allCases)
  func nothingOverlapsOrLeavesThePaper(count: Int, names: Names) throws {
    try withTemporaryFolder { folder in
      let reference = try Self.record(-1, label: "reference", params: [:])
      let variants = try (0..<count).map {
        try Self.record($0, label: Self.label($0, names), params: ["quantizer": "q\($0)"])
      }
      let (directory, notes) = try Self.draw([reference] + variants, in: folder)
      #expect(notes.filter { $0.contains("gnuplot failed") } == [])
      #expect(notes.count { $0.contains("without cairo") && $0.contains("gnuplot-nox") } == 1)
      let figures = Lab.standard.figures.map(\.key)
      let drawn = figures.filter {
        FileManager.default.fileExists(atPath: "\(directory)/plots/\($0).svg")
      }
      // Only those of a sweep have nothing to show.
      #expect(
        Set(figures).subtracting(drawn).isSubset(of: ["sweep", "heat-map", "differences", "seeds"]))
      try Self.check(directory, figures, "\(count) \(names)")
    }
  }

  /// A sweep of three axes: figures know its axes.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func axesOfASweepBecomeRowsColoursAndPanels() throws {
    try withTemporaryFolder { folder in
      var records = [try Self.record(-1, label: "reference", params: [:])]
      for quantizer in ["none", "int8", "absmean:group=64", "twn", "sign"] {
        for cache in ["f32", "f16", "int8"] {
          for threads in ["1", "2", "4", "8"] {
            records.append(
              try Self.record(
                records.count - 1, label: "\(quantizer) · \(cache) · \(threads)",
                params: ["quantizer": quantizer, "cache": cache, "threads": threads]))
          }
        }
      }
      let (directory, _) = try Self.draw(records, in: folder)
      try Self.check(directory, Lab.standard.figures.map(\.key), "sweep")
      func texts(_ figure: String) throws -> [String] {
        try FigurePicture(path: "\(directory)/plots/\(figure).svg").texts.map(\.text)
      }
      // Threads are numbers: the axis. Quantizers are colours, caches panels.
      let sweep = try texts("sweep")
      #expect(sweep.contains("threads") && sweep.contains("quantizer"), "\(sweep)")
      #expect(sweep.filter { ["f32", "f16", "int8"].contains($0) }.count >= 3)
      let map = try texts("heat-map")
      #expect(map.contains("cache f32") && map.contains("cache int8"), "\(map)")
      #expect(map.filter { $0 == "absmean:group=64" }.count >= 1)
      // Rows are in groups, whose names have rows of their own.
      let rows = try texts("perplexity-by-variant")
      #expect(
        rows.contains("cache f16") && rows.contains("absmean:group=64 · 4 threads"), "\(rows)")
      #expect(try texts("quality-vs-bits").contains { $0.hasPrefix("gray line: Pareto front") })
    }
  }

  /// Infinite, missing and huge figures: the figure is drawn without them and says so.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func whatCannotBeDrawnIsTold() throws {
    try withTemporaryFolder { folder in
      let changes: [[String: Double]] = [
        [:], ["perplexity.value": .infinity], ["perplexity.value": 1e300],
        ["perplexity.value": 1e-3, "perplexity.error": 5], ["perplexity.error": .infinity],
        ["speed.decode.tokens_per_second": .nan, "model.linear_bytes": 0],
        ["divergence.kld.mean": 0, "divergence.kld.error": 0], ["tasks.accuracy": 1],
      ]
      let records = try changes.enumerated().map {
        try Self.record($0, label: "v\($0)", params: ["cache": "c\($0)"], changes: $1)
      }
      let (directory, notes) = try Self.draw(records, in: folder)
      #expect(notes.filter { $0.contains("gnuplot failed") } == [])
      try Self.check(directory, Lab.standard.figures.map(\.key), "odd")
      let picture = try FigurePicture(path: "\(directory)/plots/perplexity-by-variant.svg")
      let told = "perplexity is infinite or not defined and not drawn: v1"
      #expect(picture.texts.contains { $0.text == told })
      // gnuplot takes numbers above half of the largest double for none: the column of figures
      // stands nevertheless.
      #expect(picture.texts.contains { $0.text.hasPrefix("1.0e300") })
      #expect(picture.words["desc"]?.lowercased().contains(told) == true)
    }
  }

  /// On a logarithmic axis an error that is larger than its value reaches to the end of the axis,
  /// and is seen.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func everyErrorBarIsSeenOnALogarithmicAxis() throws {
    try withTemporaryFolder { folder in
      let values = [1e-6, 1e-3, 1.0]
      let records = try values.enumerated().map { index, value in
        try Self.record(
          index, label: "v\(index)", params: [:],
          changes: [
            "divergence.kld.mean": value, "divergence.kld.error": 2 * value,
            "perplexity.value": 10 * pow(100, Double(index)),
            "perplexity.error": 20 * pow(100, Double(index)),
          ])
      }
      let (directory, _) = try Self.draw(
        records, figures: ["layer-sensitivity", "perplexity-by-variant"], in: folder)
      for figure in ["layer-sensitivity", "perplexity-by-variant"] {
        let picture = try FigurePicture(path: "\(directory)/plots/\(figure).svg")
        let script = try String(
          contentsOfFile: "\(directory)/plots/\(figure).gp", encoding: .utf8)
        #expect(script.contains("\nlogarithmic = 1\n"))
        let bars = picture.lines.filter { line in
          !line.isGrid && ["#0072b2", "#d55e00"].contains(line.ink)
            && abs((line.points.last?.x ?? 0) - (line.points.first?.x ?? 0)) > 20
        }
        #expect(bars.count == 3, "\(figure): \(bars)")
      }
    }
  }

  /// Curves that lie on each other are one with all names; none is hidden under another without a
  /// word.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func equalCurvesAreNamedTogether() throws {
    try withTemporaryFolder { folder in
      let records = try [0, 0, 1].enumerated().map { index, shape in
        var record = try Self.record(shape, label: ["I2_S", "TL1", "1 bit"][index], params: [:])
        record.index = index
        record.id = "id\(index)"
        return record
      }
      let (directory, _) = try Self.draw(records, figures: ["kl-by-position"], in: folder)
      let picture = try FigurePicture(path: "\(directory)/plots/kl-by-position.svg")
      #expect(picture.texts.contains { $0.text == "I2_S, TL1" })
      #expect(picture.texts.contains { $0.text == "1 bit" })
      // Two curves of eight points, each with its bar, and a symbol for each in the column of
      // names.
      #expect(picture.symbols.count == 2 * 8 + 2)
      let data = try String(
        contentsOfFile: "\(directory)/plots/kl-by-position.tsv", encoding: .utf8)
      #expect(data.contains("# TL1"))
    }
  }

  /// More variants than a page has rows: the best and the worst stay, and the figure says so.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func threeHundredVariantsFitOnAPage() throws {
    try withTemporaryFolder { folder in
      let records = try (0..<300).map {
        try Self.record($0, label: "variant \($0)", params: ["quantizer": "q\($0)"])
      }
      let (directory, notes) = try Self.draw(records, in: folder)
      #expect(notes.filter { $0.contains("gnuplot failed") } == [])
      try Self.check(directory, Lab.standard.figures.map(\.key), "300")
      let picture = try FigurePicture(path: "\(directory)/plots/perplexity-by-variant.svg")
      #expect(picture.texts.contains { $0.text.hasPrefix("236 variants between") })
    }
  }

  /// The page begins with what the experiment found, in a sentence; nothing on it is wider than a
  /// phone.
  @Test func theReportBeginsWithTheAnswer() throws {
    try withTemporaryFolder { folder in
      let figures = [("reference", 4.0, 0.5), ("a <b>", 5, 0.4), ("c", 7, 0.3), ("d", 5.2, 0.4)]
      let records = try figures.enumerated().map { index, figure in
        try Self.record(
          index - 1, label: figure.0, params: [:],
          changes: ["perplexity.value": figure.1, "perplexity.error": figure.2])
      }
      let (directory, _) = try Self.draw(records, figures: [], in: folder)
      let page = try String(contentsOfFile: directory + "/report.html", encoding: .utf8)
      let sentence =
        "a &lt;b&gt; has the lowest perplexity of 3 variants: 5.00 ± 0.40; the reference has 4.00 ± 0.50."
      #expect(page.contains("<p class=\"answer\">\(sentence)</p>"), "\(page.prefix(6000))")
      #expect(page.contains("Within its error lie also: d."))
      let answer = try #require(page.range(of: "class=\"answer\""))
      let table = try #require(page.range(of: "<table>"))
      #expect(answer.lowerBound < table.lowerBound)
      // Every table stands in a box that scrolls by itself and that keys reach.
      let boxes = page.components(separatedBy: "<div class=\"scroll\" tabindex=\"0\"").count
      #expect(page.components(separatedBy: "<table>").count == boxes)
    }
  }

  /// The checks find what they are for.
  @Test func faultsAreFound() throws {
    try withTemporaryFolder { folder in
      func text(_ x: Int, _ y: Int, _ words: String, size: Int = 11) -> String {
        "<g transform=\"translate(\(x),\(y))\" font-size=\"\(size)\"><text>\(words)</text></g>"
      }
      let head = "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='x' viewBox='0 0 760 100'>"
      for (body, expected) in [
        (text(100, 50, "all is well"), nil), (text(740, 50, "too long"), "leaves the paper"),
        (text(100, 50, "small", size: 9), "has letters of 9"),
        (text(100, 50, "one") + text(105, 53, "two"), "lies on"),
        (text(100, 50, "name") + "<path stroke='red' d='M110,10 L110,90 '/>", "is crossed"),
        (text(100, 50, "n") + "<path stroke='red' class='gridline' d='M102,0 L102,9 '/>", nil),
        ("<use transform='translate(5,5) scale(2)' color='#FFFFFF'/>", "white disc"),
        ("<path stroke='red' d='M10,10 L10,300 '/>", "a line leaves"),
      ] {
        try AtomicFile.write(head + body + "</svg>", to: folder + "/x.svg")
        let faults = try FigurePicture(path: folder + "/x.svg").faults()
        #expect(faults.isEmpty == (expected == nil), "\(faults)")
        #expect(expected == nil || faults.contains { $0.contains(expected ?? "") }, "\(faults)")
      }
    }
  }

  /// What fits by our widths fits in Helvetica.
  @Test func widthsAreNotBelowHelveticas() {
    for (index, width) in FigurePicture.helvetica.enumerated() {
      let text = String(UnicodeScalar(UInt8(0x20 + index)))
      #expect(PlotText.width(text, size: 1000) >= width, "'\(text)'")
    }
    #expect(PlotText.fit("short", room: 100, size: 10) == "short")
    let cut = PlotText.fit("a name that is too long", room: 60, size: 10)
    #expect(cut.hasSuffix("…") && PlotText.width(cut, size: 10) <= 60)
  }
}
