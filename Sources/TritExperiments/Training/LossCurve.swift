internal import Foundation
internal import TritCore
internal import TritFormats
internal import TritTraining

/// The loss of a training over its steps, as data, gnuplot script, SVG and PNG in `training/`.
struct LossCurve {
  /// The folder of the model.
  let folder: String
  let name: String
  /// Nats a token that no model can go below.
  let floor: Double?

  /// Draws what `metrics.jsonl` holds. What cannot be drawn is told to `note`.
  func draw(note: (String) -> Void) throws {
    let lines = TrainingLog(path: Trainer.logPath(folder)).lines()
    var steps: [(Int, Double)] = []
    var checks: [(Int, Double)] = []
    for line in lines {
      guard let step = line["step"]?.integer else { continue }
      if let loss = line["loss"]?.double { steps.append((step, loss)) }
      if let loss = line["validation_loss"]?.double { checks.append((step, loss)) }
    }
    guard !steps.isEmpty else { return }
    // At most 2000 points, each the mean of the steps it stands for.
    let width = max(1, steps.count / 2000)
    var table = "# step\tloss\n"
    for start in stride(from: 0, to: steps.count, by: width) {
      let part = steps[start..<min(start + width, steps.count)]
      let mean = part.reduce(0) { $0 + $1.1 } / Double(part.count)
      table += "\(part[part.endIndex - 1].0)\t\(mean)\n"
    }
    table += "\n\n# step\tvalidation loss\n"
    for (step, loss) in checks { table += "\(step)\t\(loss)\n" }
    let target = folder + "/training"
    try AtomicFile.write(table, to: target + "/loss.tsv")
    guard let source = PlotTemplates.locate(nil, environment: ProcessInfo.processInfo.environment),
      let style = WholeFile.text(source + "/style.gp"),
      let template = WholeFile.text(source + "/training-loss.gp")
    else { return note("the plot templates were not found: only training/loss.tsv is written") }
    try AtomicFile.write(style, to: target + "/style.gp")
    let first = "# Draws loss.svg, .png and .pdf from loss.tsv. Redraw: gnuplot loss.gp\n"
    var script = "data = 'loss.tsv'\n"
    let title = PlotData.shortened(name + ": loss over training")
    let data = figure(steps, checks)
    script += "heading = \(PlotData.string(title))\n"
    script += "footer = ''\nrows = 2\nwidth = \(Int(PlotSheet.width))\nheight = \(data.height)\n"
    script += "checks = \(checks.count)\nfloor_loss = \(floor ?? 0)\n"
    for variable in data.variables { script += "\(variable.name) = \(variable.value)\n" }
    // The script begins with a new session: what it needs is set behind that.
    func drawing(into name: String) -> String {
      ImageDrawing.script(head: "name = '\(name)'\n" + script, template: template)
    }
    try AtomicFile.write(first + drawing(into: "loss"), to: target + "/loss.gp")
    guard
      let gnuplot = Executable.find("gnuplot", path: ProcessInfo.processInfo.environment["PATH"])
    else {
      return note("gnuplot is not installed: training/loss.tsv and loss.gp are written, no image")
    }
    let drawn = try ImageDrawing.draw(
      "loss", script: drawing(into: ".loss"), title: title, words: data.words, gnuplot: gnuplot,
      in: target)
    if let problem = drawn.problem {
      note("training/loss.gp: \(problem)")
    } else if let missing = ImageDrawing.missing(drawn.endings) {
      note(missing)
    }
  }

  /// Axes, names at the ends of the curves, and the figure in words.
  private func figure(_ steps: [(Int, Double)], _ checks: [(Int, Double)]) -> PlotData {
    let losses = (steps + checks).map(\.1) + (floor.map { [$0] } ?? [])
    let y = PlotAxis(losses, fromZero: true)
    let x = PlotAxis((steps + checks).map { Double($0.0) }, fromZero: true, room: 0.01)
    var sheet = PlotSheet()
    sheet.top = 42
    sheet.legend(
      "",
      [("training", 5, "blue")] + (checks.isEmpty ? [] : [("validation", 5, "orange")])
        + (floor.map { [("entropy of the source, \(Figures.fixed($0, 3))", 0, "red")] } ?? []))
    sheet.titles(x: "Step", y: "Cross-entropy (nats a token)")
    sheet.left = PlotSheet.margin + PlotSheet.room(y)
    sheet.bottom = sheet.top + 330
    let last = [("training", steps.last), ("validation", checks.last)].compactMap { name, point in
      point.map { "\(name) loss \(Figures.fixed($0.1, 3)) nats a token at step \($0.0)" }
    }
    return PlotData(
      sheet, table: "", variables: PlotData.axis(x, prefix: "x_") + PlotData.axis(y, prefix: "y_"),
      rows: 2,
      words: "The loss over the steps of a training. " + PlotWords.list(last)
        + (floor.map { " Entropy of the source: \(Figures.fixed($0, 3))." } ?? ""))
  }
}
