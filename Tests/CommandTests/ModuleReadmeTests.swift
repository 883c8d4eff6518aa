import Foundation
import Testing
import TritLab

/// The README of each module says what is so: names and files in it exist, and its imports are
/// those of the sources. Its blocks are run by `Scripts/check-blocks.sh`, which finds every
/// Markdown file.
@Suite struct ModuleReadmeTests {
  private static let root = StubMachine.checkout
  private static let modules: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: root + "/Sources")) ?? [])
    .filter { !$0.hasPrefix(".") }.sorted()

  private static func text(_ path: String) throws -> String {
    try String(contentsOfFile: root + "/" + path, encoding: .utf8)
  }

  /// Files below `folder`, as paths from the checkout.
  private static func files(_ folder: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: root + "/" + folder)
    return (all?.compactMap { $0 as? String } ?? []).map { folder + "/" + $0 }
  }

  /// Names of types that the sources and tests declare.
  private static let types: Set<String> = {
    let declaration = /(?:struct|class|enum|protocol|typealias|actor) +([A-Z][A-Za-z0-9]*)/
    var names: Set<String> = []
    for file in (files("Sources") + files("Tests")) where file.hasSuffix(".swift") {
      for match in ((try? text(file)) ?? "").matches(of: declaration) {
        names.insert(String(match.1))
      }
    }
    return names
  }()

  /// Text outside fences, and what stands in backticks there.
  private static func spans(_ text: String) -> [String] {
    var isInside = false
    let prose = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      if line.hasPrefix("```") { isInside.toggle() }
      return !isInside && !line.hasPrefix("```")
    }.joined(separator: "\n")
    return prose.matches(of: /`([^`]+)`/).map { String($0.1) }
  }

  /// What a name in backticks refers to and is not there; nil where it is, or where it is no such
  /// name.
  private static func complaint(_ span: String, in module: String, _ known: [String]) -> String? {
    let paths = ["", "Sources/\(module)/", "plots/"].map { root + "/" + $0 + span }
    if span.wholeMatch(of: /[A-Za-z0-9_+\/-]+\.(swift|c|h|yaml|md|gp|sh)/) != nil
      || span.wholeMatch(of: /[A-Za-z0-9_+\/-]+\//) != nil
      || span.hasPrefix("Tests/")
    {
      let isThere =
        paths.contains { FileManager.default.fileExists(atPath: $0) }
        || known.contains { $0.hasSuffix("/" + span) }
      return isThere ? nil : "there is no file '\(span)'"
    }
    guard span.wholeMatch(of: /[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*/) != nil else { return nil }
    return types.contains(span) || modules.contains(span) ? nil : "there is no type '\(span)'"
  }

  /// Modules that a source imports: what stands above its first declaration.
  private static func imports(_ source: String) -> [String] {
    source.split(separator: "\n")
      .prefix { line in
        let text = line.drop { $0 == " " }
        return text.hasPrefix("//") || text.hasPrefix("#")
          || text.prefixMatch(of: #/(?:[@_a-z]+ )*import /#) != nil
      }
      .compactMap { line in
        line.wholeMatch(of: #/ *(?:[@_a-z]+ )*import ([A-Za-z_]+)/#).map { String($0.1) }
      }
  }

  @Test(arguments: modules) func aModuleSaysWhatItIs(_ module: String) throws {
    let text = try Self.text("Sources/\(module)/README.md")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first == "# \(module)")
    #expect(lines.count <= 61, "\(lines.count - 1) lines")
    let known = Self.files("Sources") + Self.files("Tests")
    let complaints = Self.spans(text).compactMap { Self.complaint($0, in: module, known) }
    #expect(complaints.isEmpty, "\(complaints)")
  }

  @Test(arguments: modules) func itsImportsAreThoseOfTheSources(_ module: String) throws {
    let text = try Self.text("Sources/\(module)/README.md")
    let stated = try #require(text.firstRange(of: "Imports: "), "it has no line 'Imports: …'")
    let sentence = text[stated.upperBound...].prefix { $0 != "." }
    let named = Set(sentence.matches(of: /`([A-Za-z]+)`/).map { String($0.1) })
    var found: Set<String> = []
    for file in Self.files("Sources/\(module)") where file.hasSuffix(".swift") {
      found.formUnion(Self.imports(try Self.text(file)).filter { Self.modules.contains($0) })
    }
    #expect(named == found)
  }

  @Test func figuresAreExplainedAsTheyAreMade() throws {
    let text = try Self.text("plots/README.md")
    let known = Self.files("Sources") + Self.files("Tests") + Self.files("plots")
    let complaints = Self.spans(text).filter { !$0.contains("NAME") && $0 != "report.html" }
      .compactMap { Self.complaint($0, in: "TritExperiments", known) }
    #expect(complaints.isEmpty, "\(complaints)")
    // Variables of the table are set by the writer of scripts, or by the style.
    let sources =
      try Self.text("Sources/TritExperiments/Plots/PlotWriter.swift")
      + Self.text("plots/style.gp")
    for row in text.split(separator: "\n") where row.hasPrefix("| `") {
      for match in row.split(separator: "|")[0].matches(of: /`([a-z_]+)`/) {
        #expect(sources.contains("\(match.1) = "), "no script sets \(match.1)")
      }
    }
    for figure in Lab.standard.figures where figure.template == nil {
      #expect(FileManager.default.fileExists(atPath: "\(Self.root)/plots/\(figure.key).gp"))
    }
  }

  @Test func whatIsNotThereIsFound() {
    #expect(Self.complaint("NoSuchType", in: "TritCore", []) != nil)
    #expect(Self.complaint("Nothing.swift", in: "TritCore", []) != nil)
    #expect(Self.complaint("Tests/Nowhere", in: "TritCore", []) != nil)
    #expect(Self.complaint("Matrix", in: "TritCore", []) == nil)
  }
}
