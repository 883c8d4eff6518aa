internal import Foundation
internal import TritCore
internal import TritDrawing

/// A figure as it lies in a run directory.
struct DrawnPlot {
  var name: String
  var title: String
  /// What it shows, where it was measured, and the command that draws it again.
  var caption: String
  /// Paths below the run directory.
  var files: [String]
  /// The SVG, where gnuplot drew one.
  var image: String?
  /// The figures in words.
  var words = ""

  /// The SVG as part of a page: no XML prologue; its ids begin with its name.
  func inlineSVG(directory: String) -> String? {
    guard let image, let text = WholeFile.text(directory + "/" + image, limit: .configuration)
    else { return nil }
    return InlineSVG.markup(text, prefix: "")
  }
}

/// Writes every figure as data, script and, where gnuplot is installed, SVG, PNG and PDF.
struct PlotWriter {
  /// The run directory.
  let directory: String
  /// The folder with the templates, where the caller names one.
  let templates: String?
  /// Where programs and templates are looked for.
  let environment: [String: String]

  /// What is missing where a figure that draws no one measure has nothing to show.
  private static let lack = [
    "sweep": "the variants have no axes of a sweep: see 'sweep:'",
    "heat-map": "the variants have fewer than two axes of a sweep: see 'sweep:'",
    "differences": "no two variants were measured on the same text or questions",
    "seeds": "no variants differ in their seed alone: see 'sweep: {seed: …}'",
  ]

  /// Draws `plots`. What cannot be drawn is told to `note` and fails nothing.
  func draw(
    _ plots: [PlannedPlot], report: Report, note: (String) -> Void
  ) throws -> [DrawnPlot] {
    // A figure that nobody asked for is drawn where there is something to see, and is no matter
    // else.
    let plots = plots.filter { !$0.isDefault || $0.figure.data(report) != nil }
    guard !plots.isEmpty else { return [] }
    let folder = directory + "/plots"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "cannot make the folder: \((error as NSError).localizedDescription)",
        at: folder)
    }
    let names = Set(report.inputs.lab.figures.map(\.key) + plots.map(\.name))
    for name in names.sorted() { ImageDrawing.removeHalf(name, in: folder) }
    let source = PlotTemplates.locate(templates, environment: environment)
    if let style = source.flatMap({ WholeFile.text($0 + "/style.gp") }) {
      try AtomicFile.write(style, to: folder + "/style.gp")
    } else {
      note(
        "the templates of the plots (style.gp and others) were not found: only data is written; set "
          + "TRITLAB_PLOTS to the lab's folder plots/")
    }
    let gnuplot = Executable.find("gnuplot", path: environment["PATH"])
    if gnuplot == nil {
      note(
        "gnuplot is not installed: data and scripts of the plots are written, no images; install "
          + "it with 'apt-get install gnuplot-nox' and run: cd \(folder) && gnuplot *.gp")
    }
    var drawn: [DrawnPlot] = []
    var told: Set<String> = []
    for plot in plots {
      guard let data = plot.figure.data(report) else {
        note("plot '\(plot.name)': \(Self.lack[plot.figure.key] ?? "no variant has what it shows")")
        continue
      }
      drawn.append(
        try write(plot, data, report: report, source: source, gnuplot: gnuplot) { text in
          // What all figures lack is told once.
          if told.insert(text).inserted { note(text) }
        })
    }
    return drawn
  }

  private func write(
    _ planned: PlannedPlot, _ data: PlotData, report: Report, source: String?, gnuplot: String?,
    note: (String) -> Void
  ) throws -> DrawnPlot {
    let (name, summary) = (planned.name, planned.figure.summary)
    let folder = directory + "/plots"
    let title = "\(report.plan.file.name): \(summary)"
    var plot = DrawnPlot(
      name: name, title: title,
      caption: "\(summary.prefix(1).uppercased() + summary.dropFirst()). "
        + data.remarks.map { $0.prefix(1).uppercased() + $0.dropFirst() + ". " }.joined()
        + "\(report.environmentLine). Redraw: cd plots && gnuplot \(name).gp",
      files: ["plots/\(name).tsv"], image: nil)
    plot.words = words(summary, data)
    try AtomicFile.write(data.table, to: "\(folder)/\(name).tsv")
    guard let source else { return plot }
    let path = planned.template?.path ?? "\(source)/\(name).gp"
    guard
      let template = (planned.template == nil ? planned.figure.template : nil)
        ?? WholeFile.text(path)
    else {
      note("plot '\(name)': its template is missing: \(path)")
      return plot
    }
    try AtomicFile.write(script(name, data, title, report, template), to: "\(folder)/\(name).gp")
    plot.files.append("plots/\(name).gp")
    guard let gnuplot else { return plot }
    let hidden = script(name, data, title, report, template, into: ".\(name)")
    let drawn = try ImageDrawing.draw(
      name, script: hidden, title: title, words: plot.words, gnuplot: gnuplot, in: folder)
    if let problem = drawn.problem {
      note("plot '\(name)': \(problem)")
      return plot
    }
    if let missing = ImageDrawing.missing(drawn.endings) { note(missing) }
    plot.image = "plots/\(name).svg"
    plot.files += drawn.endings.map { "plots/\(name).\($0)" }
    return plot
  }

  /// What the figure shows, for those who hear it.
  private func words(_ summary: String, _ data: PlotData) -> String {
    let what = summary.prefix(1).uppercased() + summary.dropFirst() + "."
    let rows = data.rows == 1 ? "One row." : "\(data.rows) rows."
    return
      ([what, data.words.isEmpty ? rows : data.words]
      + data.remarks.map { $0.prefix(1).uppercased() + $0.dropFirst() + "." })
      .joined(separator: " ")
  }

  private func script(
    _ name: String, _ data: PlotData, _ title: String, _ report: Report, _ template: String,
    into output: String? = nil
  ) -> String {
    var text = "# Draws \(name).svg, .png and .pdf from \(name).tsv. Redraw: gnuplot \(name).gp\n"
    text += "name = \(PlotData.string(output ?? name))\ndata = \(PlotData.string(name + ".tsv"))\n"
    text += "heading = \(PlotData.string(PlotData.shortened(title)))\n"
    text += "footer = \(PlotData.string(footer(name, data, report)))\n"
    text += "rows = \(data.rows)\nwidth = \(Int(PlotSheet.width))\nheight = \(data.height)\n"
    for variable in data.variables { text += "\(variable.name) = \(variable.value)\n" }
    return ImageDrawing.script(head: text, template: template)
  }

  /// The line at the foot: what is left out, else where and on what it was measured.
  private func footer(_ name: String, _ data: PlotData, _ report: Report) -> String {
    let line =
      data.remarks.isEmpty
      ? report.environmentLine + " · redraw: gnuplot \(name).gp"
      : data.remarks.joined(separator: " · ")
    return PlotText.fit(
      VisibleText.line(line), room: PlotSheet.width - 2 * PlotSheet.margin, size: PlotSheet.letters)
  }
}

extension PlotData {
  /// A title that fits over the figure, on one line.
  static func shortened(_ text: String) -> String {
    PlotText.fit(
      GnuplotText.shown(text, limit: 90), room: PlotSheet.width - 2 * PlotSheet.margin, size: 13)
  }
}

/// Where the templates of the plots lie.
package enum PlotTemplates {
  /// The folder that holds `style.gp`: the one named, `TRITLAB_PLOTS`, `plots/` or
  /// `share/trit/plots/` in a folder above the program, `plots/` of the checkout that it was built
  /// in, `plots/` here.
  static func locate(
    _ named: String?, environment: [String: String]
  ) -> String? {
    var candidates: [String] = []
    // A folder that somebody names is the only one: falling back in silence would hide a typo.
    if let named { return holdsStyle(named) ? named : nil }
    if let variable = environment["TRITLAB_PLOTS"], !variable.isEmpty {
      return holdsStyle(variable) ? variable : nil
    }
    for folder in ProgramPath.folders {
      candidates += [folder + "/plots", folder + "/share/trit/plots"]
    }
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    candidates += [checkout.path + "/plots", "plots"]
    return candidates.first(where: holdsStyle)
  }

  private static func holdsStyle(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/style.gp")
  }
}

/// Other programs.
package enum Executable {
  /// The path of `name` on `PATH`.
  package static func find(_ name: String, path: String?) -> String? {
    (path ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
