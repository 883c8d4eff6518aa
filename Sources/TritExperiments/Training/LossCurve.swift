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
    let first = "# Draws loss.svg and loss.png from loss.tsv. Redraw: gnuplot loss.gp\n"
    var script = "data = 'loss.tsv'\n"
    script += "heading = \(PlotData.string(PlotData.shortened(name + ": loss over training")))\n"
    script += "footer = ''\nrows = 2\nwidth = 820\nheight = 460\n"
    script += "checks = \(checks.count)\nfloor_loss = \(floor ?? 0)\n"
    script += "load 'style.gp'\neval svg\n\n" + template + "\neval png\nreplot\nunset output\n"
    try AtomicFile.write(first + "name = 'loss'\n" + script, to: target + "/loss.gp")
    guard
      let gnuplot = Executable.find("gnuplot", path: ProcessInfo.processInfo.environment["PATH"])
    else {
      return note("gnuplot is not installed: training/loss.tsv and loss.gp are written, no image")
    }
    let hidden = "name = '.loss'\n" + script
    if let problem = try ImageDrawing.draw("loss", script: hidden, gnuplot: gnuplot, in: target) {
      note("training/loss.gp: \(problem)")
    }
  }
}
