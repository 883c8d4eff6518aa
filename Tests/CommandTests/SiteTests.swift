import Foundation
import Testing
import TritCommand
import TritLab
import _TritTestSupport

/// The pages of `make docs`: everything of the lab is on them, every link leads somewhere, and
/// nothing comes from elsewhere.
@Suite struct SiteTests {
  /// The pages of a program, by file name, written once into a folder that has one figure.
  private static func pages(_ program: String = CommandRunner.path) throws -> [String: String] {
    let folder = try TemporaryFolder("site")
    let figures = folder.file("site/figures")
    try FileManager.default.createDirectory(atPath: figures, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(
      atPath: StubMachine.checkout + "/plots/gallery")
    {
      try FileManager.default.copyItem(
        atPath: "\(StubMachine.checkout)/plots/gallery/\(name)", toPath: "\(figures)/\(name)")
    }
    let result = try CommandRunner.shell("cd '\(folder.path)' && '\(program)' help --html site")
    #expect(result.status == 0, "\(result)")
    var pages: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.file("site"))
    where name != "figures" {
      pages[name] = try String(contentsOfFile: folder.file("site/" + name), encoding: .utf8)
    }
    #expect(result.out == "wrote \(pages.count - 1) pages: site/index.html\n")
    return pages
  }

  private static let own = Result { try pages() }

  @Test func everyImplementationHasItsPlace() throws {
    let pages = try Self.own.get()
    for kind in Lab.standard.kinds {
      let page = try #require(pages["stage-\(kind.key.rawValue).html"])
      for descriptor in kind.descriptors {
        let slug = descriptor.name.replacing("/", with: "-")
        let links = page.matches(of: /href="([^"#]+)#([^"]+)"/).filter { $0.2 == slug }
        let link = try #require(links.first, "\(kind.key) has no link to \(descriptor.name)")
        let there = try #require(pages[String(link.1)])
        #expect(there.contains("id=\"\(slug)\""), "\(link.1)#\(slug)")
        for parameter in descriptor.parameters {
          #expect(there.contains("<code>\(parameter.name)</code>"))
        }
      }
    }
    for command in TritCommand.commands(CommandContext(lab: .standard)) {
      let page = try #require(pages["command-\(command.name).html"])
      for option in command.options where option.names.contains("--json") {
        #expect(page.contains("<code>--json</code>"))
      }
    }
  }

  @Test func everyLinkLeadsSomewhere() throws {
    let pages = try Self.own.get()
    for (name, page) in pages where name.hasSuffix(".html") {
      for match in page.matches(of: /(?:href|src)="([^"]+)"/) {
        let link = String(match.1)
        if link.hasPrefix("https://arxiv.org/abs/") { continue }
        let parts = link.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        if parts[0].hasPrefix("figures/") {
          let file = StubMachine.checkout + "/plots/gallery/" + parts[0].dropFirst(8)
          #expect(FileManager.default.fileExists(atPath: file), "\(name): \(link)")
          continue
        }
        let target = parts[0].isEmpty ? page : pages[parts[0]]
        #expect(target != nil, "\(name): \(link)")
        if parts.count == 2 {
          #expect(target?.contains("id=\"\(parts[1])\"") == true, "\(name): \(link)")
        }
      }
    }
  }

  @Test func nothingComesFromElsewhere() throws {
    for (name, page) in try Self.own.get() {
      #expect(
        !page.contains("<script") && !page.contains("@import") && !page.contains("url("), "\(name)")
      #expect(!page.contains("src=\"http") && !page.contains("stylesheet\" href=\"http"), "\(name)")
      guard name.hasSuffix(".html") else { continue }
      #expect(page.contains("name=\"viewport\""))
      // Every element that is opened is closed.
      for element in [
        "p", "section", "table", "pre", "div", "dl", "ul", "ol", "figure", "a", "code", "h2", "h3",
      ] {
        let opened = page.matches(of: try Regex("<\(element)[ >]")).count
        #expect(opened == page.matches(of: try Regex("</\(element)>")).count, "\(name): \(element)")
      }
    }
    #expect(try #require(Self.own.get()["style.css"]).contains("prefers-color-scheme: dark"))
  }

  @Test func theHeaderOfKernelsIsShownWhole() throws {
    let page = try #require(try Self.own.get()["plugins.html"])
    let shown = page.replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&quot;", with: "\"").replacing("&#39;", with: "'").replacing("&amp;", with: "&")
    let header = try String(
      contentsOfFile: StubMachine.checkout + "/Sources/CTritPlugin/include/trit_kernel.h",
      encoding: .utf8)
    #expect(shown.contains(header))
  }

  /// Words are of what the lab has, and the lab has no kind without words.
  @Test func wordsAndLabAgree() {
    let kinds = Lab.standard.kinds
    #expect(Set(SiteWords.kinds.keys) == Set(kinds.map(\.key.rawValue)))
    for kind in kinds {
      let known = Set(kind.descriptors.map(\.name))
        .union(kind.descriptors.compactMap(\.kernel?.packing))
      let groups = SiteWords.kinds[kind.key.rawValue]?.groups ?? []
      let named = groups.flatMap(\.names)
      #expect(Set(named).count == named.count && Set(named).isSubset(of: known), "\(kind.key)")
      for descriptor in kind.descriptors where !groups.isEmpty {
        let packing = descriptor.kernel?.packing
        #expect(
          named.contains(descriptor.name) || packing.map(named.contains) == true,
          "\(kind.key): no group has \(descriptor.name)")
      }
      let pictures =
        groups.compactMap(\.figure) + [SiteWords.kinds[kind.key.rawValue]?.figure].compactMap { $0 }
      for picture in pictures {
        let file = "\(StubMachine.checkout)/plots/gallery/\(picture.name).svg"
        #expect(FileManager.default.fileExists(atPath: file))
      }
    }
  }

  @Test func stagesOfOthersAreShownToo() throws {
    let guest = (CommandRunner.path as NSString).deletingLastPathComponent + "/trit-guest"
    let pages = try Self.pages(guest)
    #expect(pages["stage-quantizer.html"]?.contains("stage-quantizer-more.html#guest") == true)
    let page = try #require(pages["stage-quantizer-more.html"])
    #expect(page.contains("absmean under another name") && page.contains("integer 1…9"))
    #expect(page.contains("package TritGuest"))
    #expect(try Self.own.get()["stage-quantizer-more.html"] == nil)
  }

  @Test func aWrongLineIsRefused() throws {
    for line in ["help --html", "help --html a b", "help --html --json"] {
      let result = try CommandRunner.run(line.split(separator: " ").map(String.init))
      #expect(result.status == 64 && result.err.contains("trit help --html FOLDER"), "\(result)")
    }
    let folder = try TemporaryFolder("site")
    try folder.write("a file", to: "taken")
    let result = try CommandRunner.run(["help", "--html", folder.file("taken")])
    #expect(result.status == 1 && result.err.contains("taken"), "\(result)")
  }
}
