internal import Foundation
internal import TritCore

/// What has been drawn of a figure.
struct DrawnImages {
  /// Endings of the images that lie there.
  var endings: [String] = []
  /// What went wrong, if anything did.
  var problem: String?
}

/// Has gnuplot draw an image so that no half one stands under its name, whether the disk fills,
/// gnuplot fails or the run is killed: it draws under a hidden name, and what is whole is renamed.
enum ImageDrawing {
  /// The images of a figure; the first is always there, the others where gnuplot was built with
  /// cairo.
  static let images = ["svg", "png", "pdf"]
  private static let endings = ["gp"] + images
  /// The type and checksum of a PNG's last chunk, IEND.
  private static let endOfPNG: [UInt8] = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]

  /// Commands that draw once into each kind of image. `template` is repeated where it draws several
  /// panels, which `replot` would not.
  static func script(head: String, template: String) -> String {
    let lines = template.split(separator: "\n", omittingEmptySubsequences: true)
    // A quote in a comment would confuse the search for the end of the block.
    let whole = lines.filter { !$0.hasPrefix("#") }.joined(separator: "\n")
    let again = whole.contains("panels_begin") || whole.contains("multiplot") ? whole : "replot"
    return "reset session\n" + head + "load 'style.gp'\neval svg\n\n" + template
      + "\nif (has_png) {\neval png\n\(again)\n}\nif (has_pdf) {\neval pdf\n\(again)\n}\nunset output\n"
  }

  /// Runs `script`, which writes `.NAME.svg`, `.NAME.png` and `.NAME.pdf`, in `folder`; the images
  /// are `NAME.svg` and so on afterwards. The SVG gets `title` and `words`.
  static func draw(
    _ name: String, script: String, title: String, words: String, gnuplot: String, in folder: String
  ) throws -> DrawnImages {
    let hidden = "\(folder)/.\(name)"
    defer { removeHalf(name, in: folder) }
    try AtomicFile.write(script, to: hidden + ".gp")
    if let problem = ChildProcess.run(gnuplot, [".\(name).gp"], in: folder) {
      return DrawnImages(problem: "gnuplot failed: \(problem)")
    }
    let drawn = images.filter {
      $0 == "svg" || FileManager.default.fileExists(atPath: "\(hidden).\($0)")
    }
    let ends = ["svg": Array("</svg>".utf8), "png": endOfPNG, "pdf": Array("%%EOF".utf8)]
    for ending in drawn {
      let bytes = FileManager.default.contents(atPath: "\(hidden).\(ending)") ?? Data()
      guard let end = ends[ending], bytes.suffix(end.count + 8).firstRange(of: end) != nil else {
        return DrawnImages(problem: "gnuplot left half an image: is the disk full?")
      }
    }
    if let svg = WholeFile.text(hidden + ".svg", limit: .configuration) {
      try AtomicFile.write(
        FigureSVG.finished(svg, title: title, words: words, prefix: name), to: hidden + ".svg")
    }
    for ending in drawn {
      guard rename("\(hidden).\(ending)", "\(folder)/\(name).\(ending)") == 0 else {
        return DrawnImages(
          problem: "cannot rename the image: \(String(cString: strerror(errno)))")
      }
    }
    // Images of an earlier drawing show what no longer is.
    for ending in images where !drawn.contains(ending) { unlink("\(folder)/\(name).\(ending)") }
    return DrawnImages(endings: drawn)
  }

  /// What to do where the program draws SVG alone; nil where it draws all.
  static func missing(_ endings: [String]) -> String? {
    let lost = images.filter { !endings.contains($0) }.map { $0.uppercased() }
    guard !lost.isEmpty else { return nil }
    return
      "this gnuplot was built without cairo and writes no \(lost.joined(separator: " and no ")): "
      + "figures are SVG alone; Debian's has it: 'apt-get install gnuplot-nox'"
  }

  /// Removes the hidden files of `name`: a killed run leaves them.
  static func removeHalf(_ name: String, in folder: String) {
    for ending in endings { unlink("\(folder)/.\(name).\(ending)") }
  }
}
