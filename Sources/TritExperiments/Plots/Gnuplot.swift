internal import Foundation
package import TritCore
internal import TritPlugins

/// Draws scripts that are no part of an experiment: figures of notebooks.
package enum Gnuplot {
  /// `text` as a string of gnuplot.
  package static func quoted(_ text: String) -> String { PlotData.string(text) }

  /// Seconds that a drawing may take.
  private static let seconds = 30.0

  /// The SVG of each script, in the house style: every one sets what it needs, plots, and knows
  /// nothing of files. One gnuplot draws all: its start takes longer than a drawing. `words` say
  /// what is to be seen, for those who hear it.
  ///
  /// Throws `missingInput` where there is no gnuplot or no style, and a failure with gnuplot's
  /// words.
  package static func svgs(
    _ scripts: [(title: String, words: String, script: String)], width: Int, height: Int
  ) throws -> [String] {
    let environment = ProcessInfo.processInfo.environment
    guard let program = Executable.find("gnuplot", path: environment["PATH"]) else {
      throw LabError(
        .missingInput, "figures are drawn by gnuplot, which is not there",
        expected: "gnuplot on the PATH",
        advice: "install it: sudo apt-get install gnuplot-nox")
    }
    guard let templates = PlotTemplates.locate(nil, environment: environment),
      let style = WholeFile.text(templates + "/style.gp")
    else {
      throw LabError(
        .missingInput, "the style of figures was not found", expected: "plots/style.gp",
        advice: "say where it lies: export TRITLAB_PLOTS=DIR")
    }
    let folder = NSTemporaryDirectory() + "/trit-figures-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var text = ""
    for (index, item) in scripts.enumerated() {
      text += "reset session\nname = \(PlotData.string(folder + "/\(index)"))\n"
      text += "heading = \(PlotData.string(item.title))\nfooter = ''\nrows = 1\n"
      text += "width = \(width)\nheight = \(height)\n\(style)\neval svg\nset bmargin\n"
      // Legends stand above the curves, never on them.
      text += "set key tmargin left horizontal Left reverse samplen 2 font ',11'\n"
      text += item.script + "\nunset output\n"
    }
    let file = folder + "/figures.gp"
    try AtomicFile.write(text, to: file)
    let outcome = try Subprocess(program: program, arguments: [file], seconds: seconds).run()
    guard outcome.code == 0 else {
      let said = (outcome.errors + outcome.output).replacing(file, with: "script")
      throw LabError(
        .failure, "gnuplot cannot draw the figure", at: scripts.first?.title,
        got: said.isEmpty ? (outcome.isLate ? "no end" : "no words") : VisibleText.lines(said),
        advice: "see the commands that were given to it")
    }
    return try scripts.indices.map { index in
      guard let svg = WholeFile.text("\(folder)/\(index).svg", limit: .configuration),
        svg.contains("</svg>")
      else {
        throw LabError(
          .failure, "gnuplot left half a figure", at: scripts[index].title,
          got: VisibleText.lines(String(outcome.errors.prefix(2000))),
          advice: "see that the disk has room, and that the script plots something")
      }
      // Figures of one page must not share ids: those of equal figures may be equal.
      let prefix = "figure-" + SHA256.hex(svg + scripts[index].title).prefix(10)
      return FigureSVG.finished(
        svg, title: scripts[index].title, words: scripts[index].words, prefix: prefix)
    }
  }
}
