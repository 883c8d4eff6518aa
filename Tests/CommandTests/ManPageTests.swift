import Foundation
import Testing
import _TritTestSupport

/// The pages for `man`: made from what `--help` is made from, and read by groff without complaint.
@Suite struct ManPageTests {
  @Test(arguments: [nil] + HelpTests.commands.map { Optional($0) })
  func pagesAreRead(command: String?) throws {
    let page = try CommandRunner.run(["help", "--man"] + [command].compactMap(\.self))
    #expect(page.status == 0 && page.err.isEmpty, "\(page)")
    let name = command.map { "trit-\($0)" } ?? "trit"
    #expect(page.out.contains(".TH \"\(name.uppercased())\" \"1\""))
    #expect(page.out.utf8.allSatisfy { $0 < 0x80 })
    guard StubMachine.find("groff") != nil else { return }
    let folder = try TemporaryFolder("man")
    try folder.write(page.out, to: "page.1")
    let shown = try CommandRunner.shell(
      "GROFF_NO_SGR=1 groff -man -ww -rLL=1000n -Tutf8 '\(folder.file("page.1"))'")
    #expect(shown.status == 0 && shown.err.isEmpty, "\(shown)")
    // Letters are struck twice to be bold.
    let text = shown.out.replacing(/.\u{8}/, with: "")
    guard let command else {
      for other in HelpTests.commands { #expect(text.contains("trit-\(other)(1)")) }
      return
    }
    // Every option and every example is there, as a person would copy it.
    let help = try CommandRunner.run([command, "--help", "--json"]).out
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(help.utf8)) as? [String: Any])
    for option in try #require(document["options"] as? [[String: Any]]) {
      for name in option["names"] as? [String] ?? [] {
        let negatable = name.hasPrefix("--") && option["negatable"] as? Bool == true
        let written = negatable ? "--[no-]" + name.dropFirst(2) : name
        #expect(text.contains(written), "\(name)")
      }
    }
    for example in try #require(document["examples"] as? [[String: String]]) {
      #expect(text.contains(example["line"] ?? "?"), "\(example)")
    }
  }

  @Test func eitherOrderIsRead() throws {
    let page = try CommandRunner.run(["help", "--man", "list"])
    #expect(try CommandRunner.run(["help", "list", "--man"]).out == page.out)
    let unknown = try CommandRunner.run(["help", "--man", "lst"])
    #expect(unknown.status == 64 && unknown.err.contains("Did you mean 'list'"), "\(unknown)")
  }
}
