internal import Foundation

/// What one figure shows: a table, and the variables that its template reads.
struct PlotData {
  /// Tab-separated, comments in front.
  var table: String
  /// Variables of the script, in gnuplot's syntax.
  var variables: [(name: String, value: String)]
  /// Rows or series.
  var rows: Int
  /// Height of the image in pixels.
  var height: Int

  /// The data of a figure; nil where no record has what it shows.
  static func make(_ kind: PlotKind, _ report: Report) -> PlotData? {
    switch kind {
    case .perplexityByVariant: perplexity(report)
    case .sizeVersusPerplexity: scatter(report, "model.linear_bytes", scale: 1 / 1048576.0)
    case .qualityVersusBits: scatter(report, "weights.code_bits_per_weight", scale: 1)
    case .throughput: throughput(report)
    case .divergenceByPosition: byPosition(report)
    case .layerSensitivity: sensitivity(report)
    case .generationAgreement: agreement(report)
    case .taskAccuracy: taskAccuracy(report)
    case .scaling: scaling(report)
    case .energy: energy(report)
    case .roofline: roofline(report)
    }
  }

  /// A label as a cell: not longer than a margin can hold.
  static func cell(_ text: String) -> String { GnuplotText.cell(GnuplotText.shown(text)) }

  /// A string of gnuplot.
  static func string(_ text: String) -> String { GnuplotText.string(text) }

  /// Labels as an array of gnuplot, none longer than a margin can hold.
  static func strings(_ list: [String]) -> String {
    "[" + list.map { string(GnuplotText.shown($0)) }.joined(separator: ", ") + "]"
  }

  static func numbers(_ list: [Double]) -> String {
    "[" + list.map { "\($0)" }.joined(separator: ", ") + "]"
  }

  static func table(_ header: [String], _ rows: [[String]]) -> String {
    "# " + header.joined(separator: "\t") + "\n"
      + rows.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  static func rowHeight(_ rows: Int, each: Int = 34) -> Int { 150 + each * max(rows, 2) }

  /// Whether values spread so far that a linear axis would hide the small ones.
  static func isWide(_ values: [Double], factor: Double) -> Bool {
    guard let low = values.min(), let high = values.max(), low > 0 else { return false }
    return high / low > factor
  }

  /// The range of an axis and, for a logarithmic one, its ticks at 1, 2, 5 times powers of ten.
  static func axis(_ values: [Double], isLog: Bool) -> [(name: String, value: String)] {
    let lowest = values.min() ?? 0
    let highest = values.max() ?? 1
    guard isLog, lowest > 0, highest.isFinite else {
      let span = max(highest - lowest, abs(highest) * 0.02, 1e-9)
      return [
        ("low", "\(lowest - 0.18 * span)"), ("high", "\(highest + 0.18 * span)"), ("ticks", "''"),
      ]
    }
    let room = max(pow(highest / lowest, 0.15), 1.3)
    // Perplexities of broken variants come near the end of the range: both ends stay numbers.
    let low = max(lowest / room, .leastNormalMagnitude)
    let high = min(highest * room, .greatestFiniteMagnitude)
    let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let steps: [Double] = decades.count > 4 ? [1] : [1, 2, 5]
    let ticks = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
      .filter { $0 >= low && $0 <= high }
    return [
      ("low", "\(low)"), ("high", "\(high)"),
      (
        "ticks",
        string("(" + ticks.map { "'\(Figures.plain($0))' \($0)" }.joined(separator: ", ") + ")")
      ),
    ]
  }

  static func finite(_ value: Double?) -> Double? {
    value.flatMap { $0.isFinite ? $0 : nil }
  }

  private static func perplexity(_ report: Report) -> PlotData? {
    let records = report.variants.filter { finite($0.metrics["perplexity.value"]) != nil }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    let reference = finite(report.reference?.metrics["perplexity.value"])
    let rows = records.indices.map { index in
      [
        "\(index)", "\(values[index])", "\(errors[index])", cell(records[index].label),
        Figures.text(values[index], error: errors[index]),
      ]
    }
    return PlotData(
      table: table(["row", "perplexity", "error", "label", "shown"], rows),
      variables: [
        ("reference", reference.map { "\($0)" } ?? "NaN"),
        ("lowest", floor(report)), ("logarithmic", isWide(values, factor: 8) ? "1" : "0"),
      ]
        + axis(
          bounds(values, errors) + lines(report), isLog: isWide(values, factor: 8)),
      rows: rows.count, height: rowHeight(rows.count, each: 40) + 20)
  }

  private static func scatter(_ report: Report, _ key: String, scale: Double) -> PlotData? {
    let records = report.variants.filter {
      finite($0.metrics["perplexity.value"]) != nil && finite($0.metrics[key]) != nil
    }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let sizes = records.map { ($0.metrics[key] ?? 0) * scale }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    // Names of points in the right half stand to the left of them, so that none is cut off.
    let middle = ((sizes.min() ?? 0) + (sizes.max() ?? 0)) / 2
    let rows = records.indices.map { index in
      let label = cell(records[index].label)
      let isRight = sizes[index] > middle
      return [
        "\(sizes[index])", "\(values[index])", "\(errors[index])", isRight ? " " : label,
        isRight ? label : " ",
      ]
    }
    let reference = finite(report.reference?.metrics["perplexity.value"])
    let isLog = isWide(values, factor: 8)
    let direct = records.count <= 4 && !collide(sizes, isLog ? values.map { log($0) } : values)
    return PlotData(
      table: table(["x", "perplexity", "error", "label at the right", "label at the left"], rows),
      variables: [
        ("array label[\(records.count)]", strings(records.map(\.label))),
        ("reference", reference.map { "\($0)" } ?? "NaN"), ("lowest", floor(report)),
        ("logarithmic", isLog ? "1" : "0"), ("direct", direct ? "1" : "0"),
      ] + axis(bounds(values, errors) + lines(report), isLog: isLog),
      rows: rows.count, height: 440)
  }

  /// The floor of perplexity as a variable of a script: NaN where there is none.
  static func floor(_ report: Report) -> String {
    finite(report.floor?.perplexity).map { "\($0)" } ?? "NaN"
  }

  /// Perplexities that are drawn as lines: the reference's and the floor.
  private static func lines(_ report: Report) -> [Double] {
    [report.reference?.metrics["perplexity.value"], report.floor?.perplexity].compactMap(finite)
  }

  /// Both ends of every error bar, above zero.
  static func bounds(_ values: [Double], _ errors: [Double]) -> [Double] {
    zip(values, errors).flatMap { [max($0 - $1, $0 * 0.1), $0 + $1] }
  }

  /// Whether two points are so near that names beside them would lie on each other.
  private static func collide(_ x: [Double], _ y: [Double]) -> Bool {
    func spread(_ list: [Double]) -> Double {
      max((list.max() ?? 0) - (list.min() ?? 0), abs(list.max() ?? 0) * 1e-6, 1e-12)
    }
    let (width, height) = (spread(x), spread(y))
    for i in x.indices {
      // A name at the right edge needs room that only a legend gives.
      for j in x.indices where j > i {
        if abs(x[i] - x[j]) / width < 0.35, abs(y[i] - y[j]) / height < 0.09 { return true }
      }
    }
    return false
  }

  private static func throughput(_ report: Report) -> PlotData? {
    let records = report.rows.filter {
      finite($0.metrics["speed.prefill.tokens_per_second"]) != nil
    }
    guard !records.isEmpty else { return nil }
    let rows = records.enumerated().map { index, record in
      let prefill = record.metrics["speed.prefill.tokens_per_second"] ?? 0
      let decode = record.metrics["speed.decode.tokens_per_second"] ?? 0
      return [
        "\(index)", "\(prefill)",
        "\(finite(record.metrics["speed.prefill.tokens_per_second_mad"]) ?? 0)", "\(decode)",
        "\(finite(record.metrics["speed.decode.tokens_per_second_mad"]) ?? 0)", cell(record.label),
        Figures.plain(prefill.rounded()) + (record.isSpeedDisturbed ? " (!)" : ""),
        Figures.plain(decode.rounded()) + (record.isSpeedDisturbed ? " (!)" : ""),
        "\(finite(record.metrics["speed.prefill.roof_tokens_per_second"]) ?? 0)",
        "\(finite(record.metrics["speed.decode.roof_tokens_per_second"]) ?? 0)",
        ran(record),
      ]
    }
    return PlotData(
      table: table(
        [
          "row", "prefill", "deviation", "decode", "deviation", "label", "shown", "shown",
          "prefill roof", "decode roof", "ran",
        ], rows),
      variables: [
        (
          "roofs",
          records.contains { $0.metrics["speed.decode.roof_tokens_per_second"] != nil } ? "1" : "0"
        ),
        ("disturbed", records.contains(where: \.isSpeedDisturbed) ? "1" : "0"),
      ], rows: rows.count, height: rowHeight(rows.count, each: 60) + 30)
  }

  /// What ran, as the line under a variant's bars; a blank where the record does not tell.
  private static func ran(_ record: RunRecord) -> String {
    GnuplotText.cell(
      GnuplotText.shown(record.facts["speed ran with"] ?? record.ran ?? " ", limit: 112))
  }

  private static func byPosition(_ report: Report) -> PlotData? {
    let records = report.variants.filter { $0.series["divergence.by_position"] != nil }
    var curves: [(label: String, points: [(Double, Double, Double)])] = []
    for record in records {
      guard let columns = record.series["divergence.by_position"]?.columns,
        let x = columns["position"], let y = columns["kld"]
      else { continue }
      // The larger of the errors over tokens and over windows.
      let errors = x.indices.map { index in
        ["error", "window_error"].compactMap { name in
          columns[name].flatMap { $0.indices.contains(index) ? finite($0[index]) : nil }
        }.max() ?? 0
      }
      let points = x.indices.compactMap { index -> (Double, Double, Double)? in
        guard index < y.count, y[index].isFinite, y[index] > 0 else { return nil }
        // On a logarithmic axis the lower end of the bar must stay above zero.
        return (x[index], y[index], min(errors[index], 0.9 * y[index]))
      }
      if !points.isEmpty { curves.append((record.label, points)) }
    }
    guard !curves.isEmpty else { return nil }
    let blocks = curves.map { curve in
      "# \(cell(curve.label))\n"
        + curve.points.map { "\($0.0)\t\($0.1)\t\($0.2)\n" }.joined()
    }
    let all = curves.flatMap { $0.points.map(\.1) }
    let isLog = isWide(all, factor: 8)
    let ends = curves.map { $0.points.last?.1 ?? 0 }
    return PlotData(
      table: "# position\tKL divergence\terror\n" + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(curves.count)]", strings(curves.map(\.label))),
        ("array end_y[\(curves.count)]", numbers(spreadOut(ends, within: all, isLog: isLog))),
        ("end_x", "\(curves.flatMap { $0.points.map(\.0) }.max() ?? 0)"),
        ("longest", "\(curves.map { GnuplotText.shown($0.label).count }.max() ?? 0)"),
        ("logarithmic", isLog ? "1" : "0"), ("direct", curves.count <= 4 ? "1" : "0"),
      ], rows: curves.count, height: 440)
  }

  /// Heights for names at the ends of curves: at the curve where there is room, else moved apart.
  static func spreadOut(_ ends: [Double], within all: [Double], isLog: Bool) -> [Double] {
    func forward(_ value: Double) -> Double { isLog ? log(max(value, 1e-300)) : value }
    let low = forward(all.min() ?? 0)
    let gap = max(forward(all.max() ?? 1) - low, 1e-9) * 0.055
    var result = ends.map(forward)
    let order = result.indices.sorted { result[$0] < result[$1] }
    for (lower, upper) in zip(order, order.dropFirst()) where result[upper] - result[lower] < gap {
      result[upper] = result[lower] + gap
    }
    return isLog ? result.map { exp($0) } : result
  }

  private static func sensitivity(_ report: Report) -> PlotData? {
    let key = "divergence.kld.mean"
    let records = report.variants.filter { finite($0.metrics[key]) != nil }
      .sorted { ($0.metrics[key] ?? 0) > ($1.metrics[key] ?? 0) }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics[key] ?? 0 }
    let isLog = isWide(values, factor: 100)
    let rows = records.indices.map { index in
      let error = Report.error(records[index], "divergence.kld.error") ?? 0
      return [
        "\(index)", "\(values[index])", "\(isLog ? min(error, 0.9 * values[index]) : error)",
        cell(records[index].label), Figures.text(values[index], error: error),
      ]
    }
    return PlotData(
      table: table(["row", "KL divergence", "error", "label", "shown"], rows),
      variables: [("logarithmic", isLog ? "1" : "0")], rows: rows.count,
      height: rowHeight(rows.count, each: isLog ? 40 : 30))
  }

  private static func agreement(_ report: Report) -> PlotData? {
    let records = report.variants.filter { $0.metrics["generate.agreement.tokens"] != nil }
    guard !records.isEmpty else { return nil }
    let rows = records.enumerated().map { index, record in
      let value = record.metrics["generate.agreement.tokens"] ?? 0
      return ["\(index)", "\(value)", cell(record.label), Figures.plain(value)]
    }
    let longest = report.rows.flatMap(\.texts).map(\.tokens.count).max() ?? 1
    return PlotData(
      table: table(["row", "tokens", "label", "shown"], rows),
      variables: [("longest_text", "\(max(longest, 1)).0")], rows: rows.count,
      height: rowHeight(rows.count))
  }
}
