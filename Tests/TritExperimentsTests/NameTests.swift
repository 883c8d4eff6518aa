import Foundation
import FoundationXML
import Testing
import TritExperiments
import TritLab

/// Names that mean something to gnuplot, YAML, Markdown, HTML, CSV, file systems or terminals: they
/// are shown as they are, wherever they come.
@Suite struct NameTests {
  static let names = [
    "'tis", "it's", "'90s \"7\" \\0", "''", "\"quoted\" name", "back\\slash \\n \\",
    "50 % of %d %s", "{/Bold x}_a^b",
    "`date` $(date) $x", "@macro", "#hash", "-dash", "--set", "a/b", "../../etc", "1. one", "= sum",
    "+1", "a,b;c", "| cell |", "<script>alert(1)</script>", "&lt; & &amp;", "größe 日本語 עברית",
    "emoji 👩‍👩‍👧", " spaces ", "~ * ? [x]", "NaN", "?", "long " + String(repeating: "x", count: 400),
    "tab\tin", "line\nfeed", "esc\u{1B}[31m", "turn\u{202E}ed", "c1\u{9B}2J", "null", "a:b", "!tag",
  ]

  /// A name in double quotes of YAML, whose escapes are those of JSON.
  private static func yaml(_ name: String) -> String { JSONWriter.text(.string(name)) }

  private func run(_ folder: String, name: String, variants: [String]) throws
    -> (outcome: RunOutcome, notes: [String])
  {
    let caches = ["f32", "f16", "int8"]
    let list = zip(variants, caches).map { "{name: \(Self.yaml($0)), cache: \($1)}" }
      .joined(separator: ", ")
    let text = """
      name: \(Self.yaml(name))
      description: \(Self.yaml("About " + name))
      variants: [\(list)]
      measure: {perplexity: {data: t.txt}, divergence: {}, weights: {}, speed: {}, energy: {}}
      plots: [perplexity-by-variant, quality-vs-bits, throughput, kl-by-position, energy]
      """
    let file = folder + "/x.yaml"
    try AtomicFile.write(text, to: file)
    var notes: [String] = []
    let outcome = try ExperimentRunner.run(
      file: file,
      options: RunOptions(
        set: ["model=m"], force: true, outputDirectory: folder + "/runs", threads: 2),
      backend: FakeBackend(), environment: ProcessInfo.processInfo.environment
    ) { if case .note(let note) = $0 { notes.append(note) } }
    return (outcome, notes)
  }

  /// Texts of an SVG or a page: what stands between tags.
  private final class Texts: NSObject, XMLParserDelegate {
    var all = ""
    var elements: Set<String> = []
    func parser(_ parser: XMLParser, foundCharacters string: String) { all += string }
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) { elements.insert(name) }

    static func of(_ path: String) throws -> Texts {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let parser = XMLParser(data: Data(text.utf8))
      let texts = Texts()
      parser.delegate = texts
      #expect(parser.parse(), "\(path): \(String(describing: parser.parserError))")
      return texts
    }
  }

  static let gnuplot = Executable.find(
    "gnuplot", path: ProcessInfo.processInfo.environment["PATH"])

  /// What does not make a folder's name is refused for that reason.
  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"), arguments: names)
  func aNameIsDrawnAsItIs(name: String) throws {
    try withTemporaryFolder { folder in
      guard !name.slug.isEmpty else {
        let error = #expect(throws: (any Error).self) {
          try run(folder, name: name, variants: ["a"])
        }
        #expect("\(String(describing: error))".contains("letters or digits"))
        return
      }
      let (outcome, notes) = try run(folder, name: name, variants: [name, "other"])
      #expect(notes == [])
      // All runs lie in folders below the one that was asked for, with names that every file system
      // takes.
      let parent = URL(fileURLWithPath: outcome.directory).deletingLastPathComponent()
      #expect(parent.deletingLastPathComponent().path.hasSuffix("/runs"))
      #expect(!parent.lastPathComponent.hasPrefix("-"))
      #expect(parent.lastPathComponent.utf8.count <= 120)
      let shown = GnuplotText.spoken(name)
      for plot in ["perplexity-by-variant", "throughput", "kl-by-position"] {
        let texts = try Texts.of("\(outcome.directory)/plots/\(plot).svg")
        let wanted = shown.trimmingCharacters(in: .whitespaces)
        #expect(texts.all.contains(wanted), "\(plot): '\(wanted)'")
        #expect(texts.all.contains(String(GnuplotText.shown(name, limit: 90).prefix(60))))
        #expect(!texts.elements.contains("script"))
      }
      try checkReports(outcome, name)
    }
  }

  private func checkReports(_ outcome: RunOutcome, _ name: String) throws {
    func text(_ file: String) throws -> String {
      try String(contentsOfFile: outcome.directory + "/" + file, encoding: .utf8)
    }
    // No sequence for a terminal in any of them.
    for file in ["summary.md", "report.html", "metrics.csv"] + outcome.files
    where !file.hasSuffix(".png") && !file.hasSuffix(".pdf") {
      let found = try text(file).unicodeScalars.filter {
        VisibleText.isHidden($0) && !"\n\t\r\u{200D}".unicodeScalars.contains($0)
      }
      #expect(found.isEmpty, "\(file): \(found.map { String($0.value, radix: 16) })")
    }
    let page = try Texts.of(outcome.directory + "/report.html")
    #expect(!page.elements.contains("script"))
    #expect(page.all.contains(VisibleText.prose(name).trimmingCharacters(in: .whitespaces)))
    let summary = try text("summary.md")
    #expect(!summary.replacing("\\<", with: "").contains("<script"))
    // Every row of the table of results has as many cells as its heading.
    let rows = summary.split(separator: "\n").filter { $0.hasPrefix("| ") }
    let cells = rows.prefix(3).map { row in row.replacing("\\|", with: "").count { $0 == "|" } }
    #expect(Set(cells).count == 1, "\(rows.prefix(3))")
    // The resolved file reads back as the same experiment.
    let again = try ExperimentPlan(path: outcome.directory + "/experiment.yaml")
    #expect(again.file.name == name)
    #expect(again.variants.first?.label == outcome.records.first { $0.role == .variant }?.label)
  }

  @Test func stringsOfScriptsAreQuoted() {
    // gnuplot 5.4: `print '''90s'` is a syntax error, `print "\004790s"` prints '90s, `"\04790s"`
    // does not.
    #expect(GnuplotText.string("'tis") == #""\0047tis""#)
    #expect(GnuplotText.string("a\"b\\n`x`@m$y") == #""a\0042b\134n\140x\140\100m\0044y""#)
    #expect(GnuplotText.cell("'tis it's \"q\" \\n") == #"\0047tis it's \0042q\0042 \134n"#)
    #expect(GnuplotText.cell("") == " ")
    #expect(GnuplotText.shown("a\tb\nc\u{1B}") == "a b c\\u{1b}")
    #expect(GnuplotText.shown(String(repeating: "x", count: 50)).count == 44)
  }

  @Test func foldersHaveNamesThatFileSystemsTake() {
    #expect("A run & more".slug == "a-run-more")
    #expect("../../etc".slug == "etc")
    #expect("-rf /".slug == "rf")
    #expect("Größe 日本語".slug == "größe-日本語")
    #expect("''".slug == "")
    #expect(String(repeating: "日", count: 300).slug.utf8.count <= 120)
  }

  @Test func markdownMeansNothing() {
    #expect(
      ReportText.markdown("<script> [a](b) *x* `y` & #1 | ~z~")
        == ##"\<script\> \[a\](b) \*x\* \`y\` \& \#1 \| \~z\~"##)
    #expect(ReportText.paragraphs("- a\n2) b\n= c\n    d\n# e") == "\\- a\n2\\) b\n\\= c\nd\n\\# e")
    #expect(ReportText.code("int8") == "`int8`")
    #expect(ReportText.code("a`|<b>") == "<code>a`&#124;&lt;b&gt;</code>")
    #expect(ReportText.block("a\n```\n</pre>") == "<pre>\na\n```\n&lt;/pre&gt;\n</pre>")
    #expect(ReportText.quotation("a\n- b") == "> a\n> \\- b")
  }

  @Test func cellsOfCSVAreData() {
    #expect(ReportText.csv("a,\"b\"\nc") == "\"a,\"\"b\"\"\nc\"")
    #expect(ReportText.csv("=HYPERLINK(1)") == "'=HYPERLINK(1)")
    #expect(ReportText.csv("-1.5e3") == "-1.5e3")
    #expect(ReportText.csv("-dash") == "'-dash")
    #expect(ReportText.csv(" x") == "\" x\"")
    #expect(ReportText.csv("\u{1B}[31m") == "\\u{1b}[31m")
  }
}
