import Foundation
import TritLab

/// The pages of `make docs`: what can be chosen, measured and drawn, from a lab and the tables of
/// the subcommands.
///
/// Plain HTML and one style sheet, without scripts and without anything from elsewhere: they can be
/// read from disk, on a phone or at a desk, in light and dark. What the lab has and nobody wrote
/// words for is shown all the same, by its descriptors.
package struct Site {
  /// What is shown.
  package let lab: Lab
  /// The subcommands.
  package let commands: [CommandSpec]
  /// Names of figures that lie in the folder `figures` beside the pages, without their ending.
  package let figures: Set<String>
  /// Whether the documentation of the library's symbols lies in the folder `api`.
  package let hasLibrary: Bool

  /// A site of `lab`.
  package init(
    lab: Lab, commands: [CommandSpec], figures: Set<String> = [], hasLibrary: Bool = false
  ) {
    self.lab = lab
    self.commands = commands
    self.figures = figures
    self.hasLibrary = hasLibrary
  }

  /// The site of `lab` and `commands` that goes into `folder`: with the figures that lie in
  /// `folder/figures`, and the documentation in `folder/api`, where they do.
  init(lab: Lab, commands: [CommandSpec], in folder: String) {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/figures")) ?? []
    self.init(
      lab: lab, commands: commands,
      figures: Set(files.filter { $0.hasSuffix(".svg") }.map { String($0.dropLast(4)) }),
      hasLibrary: FileKind(at: folder + "/api/index.html") == .file)
  }

  /// All pages, the first of them the entrance.
  package var pages: [SitePage] {
    [home] + lab.kinds.flatMap(pages(of:)) + [plugins, arena, overview] + commands.map(page(of:))
  }

  /// Writes pages and style sheet into `folder`, which is made where it is missing. Throws
  /// `cannotCreate`.
  package func write(to folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "the folder cannot be made: \(error.localizedDescription)", at: folder,
        advice: "name a folder that you may write to")
    }
    try AtomicFile.write(SiteStyle.text, to: folder + "/style.css")
    for page in pages { try AtomicFile.write(html(page), to: "\(folder)/\(page.file)") }
  }

  // MARK: The frame

  private func html(_ page: SitePage) -> String {
    let links = [
      ("index.html", "TritLab"), ("index.html#stages", "Stages"),
      ("stage-measure.html", "Measures"), ("stage-figure.html", "Figures"),
      ("plugins.html", "Plug-ins"), ("arena.html", "Arena"), ("commands.html", "Commands"),
    ].filter { link in
      link.0.hasPrefix("stage-")
        ? lab.kinds.contains { Self.file(of: $0.key) == link.0 } : true
    }
    let navigation = links.map { link in
      let here = link.0 == page.file || link.0 == page.parent ? " aria-current=\"page\"" : ""
      return "<a href=\"\(link.0)\"\(here)>\(link.1)</a>"
    }.joined(separator: "\n")
    let made =
      "trit \(BuildInformation.version)"
      + (BuildInformation.commit.map { ", commit \($0.prefix(12))" } ?? "")
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(HTML.text(page.title)) · TritLab</title>
      <link rel="stylesheet" href="style.css">
      </head>
      <body>
      <header><nav>
      \(navigation)
      </nav></header>
      <main>
      \(page.body)</main>
      <footer>Made by <code>make docs</code> with \(HTML.text(made)), on an \(HTML.text(BuildInformation.architecture)) machine:
      what is said of this machine is said of that one.</footer>
      </body>
      </html>

      """
  }

  // MARK: The entrance

  private var home: SitePage {
    var body = """
      <h1>TritLab</h1>
      <p class="lead">A lab for ternary language models: weights −1, 0 and +1, activations of 8 bits. Every step
      between a checkpoint and a token is a stage that can be swapped by name, measured against an fp32 reference, and
      plotted.</p>
      <pre class="formula">y = s_x · s_w · Σ w · q        w ∈ {−1, 0, +1},  q ∈ −127…127</pre>
      <p>The sum is one of integers, so that two kernels either agree to the last bit or one of them is wrong.
      All that is lost is lost where numbers are rounded: in the quantizers, and in the stages that say so.</p>
      <h2 id="stages">Stages, in the order in which a token meets them</h2>
      <div class="cards">

      """
    for kind in lab.kinds where kind.scope != .experiment { body += card(kind) }
    body += "</div>\n<h2>Experiments</h2>\n<div class=\"cards\">\n"
    for kind in lab.kinds(in: .experiment) { body += card(kind) }
    body += "</div>\n<h2>Beyond the lab</h2>\n<div class=\"cards\">\n"
    body += HTML.card(
      "plugins.html", "Plug-ins", "A kernel in one C file, a stage in one Swift file.")
    body += HTML.card("arena.html", "The arena", "An honest race of one kernel against others.")
    body += HTML.card(
      "commands.html", "Commands", "\(commands.count) subcommands, their options and examples.")
    body += "</div>\n"
    if hasLibrary {
      body +=
        "<p>The symbols of the library are in <a href=\"api/index.html\">api/</a>; their pages need a "
      body += "server: <code>python3 -m http.server</code> in that folder.</p>\n"
    }
    return SitePage(file: "index.html", title: "Ternary language models", body: body)
  }

  private func card(_ kind: StageInformation) -> String {
    HTML.card(
      Self.file(of: kind.key), kind.stage.prefix(1).uppercased() + kind.stage.dropFirst(),
      SiteWords.kinds[kind.key.rawValue]?.brief ?? kind.help,
      note: "\(kind.descriptors.count) to choose from")
  }

  /// The page of a kind.
  static func file(of key: StageKey) -> String { "stage-\(HTML.slug(key.rawValue)).html" }
}

/// One page.
package struct SitePage {
  /// Its file beside the others.
  package let file: String
  /// Its title.
  package let title: String
  /// What stands between the frame's parts.
  package let body: String
  /// The page that it belongs to.
  package var parent: String?
}
