import Foundation
import Testing
import _TritTestSupport

/// The check of the documents' blocks finds what it is there to find. The documents themselves are
/// checked by `make check-blocks`.
@Suite struct BlockCheckTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("blocks") }

  private func check(_ text: String, name: String = "page.md") throws -> CommandResult {
    let path = try folder.write(text, to: name)
    return try CommandRunner.shell(
      "'\(StubMachine.checkout)/Scripts/check-blocks.sh' '\(CommandRunner.path)' '\(path)'")
  }

  private func block(_ body: String, _ language: String = "", mark: String? = nil) -> String {
    let line = mark.map { "<!-- check: \($0) -->\n" } ?? ""
    return "text\n\n\(line)```\(language)\n\(body)\n```\n\n"
  }

  @Test func blocksAreRunAsTheyStand() throws {
    let result = try check(
      block("trit list quantizer --brief | grep absmean > /dev/null")
        + block(
          "test -e M/config.json\ntrit tokenize -m model.gguf -f text.txt --ids > /dev/null", "sh")
        + "and `trit list --brief`, `make demo`, `trit bench -m M --kernel tl1`.\n")
    #expect(result.status == 0, "\(result)")
    #expect(result.out.contains("2 in 1 files, 2 run, 0 marked as not to run, 0 complaints"))
  }

  @Test func whatFailsIsToldWithItsPlace() throws {
    let result = try check(block("true") + block("trit list\ntrit lits"))
    #expect(result.status == 1)
    #expect(result.err.contains("page.md:9: the block failed"), "\(result)")
    #expect(result.err.contains("lits"), "\(result)")
    // Each command of a block counts, not only the last.
    #expect(try check(block("trit lits\ntrue")).status == 1)
  }

  @Test func marksHaveReasonsAndReplaceWhatIsThere() throws {
    let marked = try check(
      block("rm -rf everything", mark: "skip because it is a bad idea")
        + block("trit list lots", mark: "with lots => head"))
    #expect(marked.status == 0, "\(marked)")
    #expect(marked.out.contains("page.md:4: not run: it is a bad idea"))
    for mark in ["with other => head", "skip", "skip because ", "maybe"] {
      let result = try check(block("trit list head", mark: mark))
      #expect(result.status == 1, "\(mark): \(result)")
    }
    // A mark belongs to the block that follows it at once.
    let far = try check("<!-- check: skip because it is far -->\ntext\n" + block("false"))
    #expect(far.status == 1)
  }

  @Test func blocksOfOtherKindsMustBeMarked() throws {
    let result = try check(block("{}", "json"))
    #expect(result.status == 1 && result.err.contains("'json' cannot be run"), "\(result)")
    // A fence that is not closed hides what follows.
    #expect(try check("```\ntrit list\n").status == 1)
  }

  @Test func optionsTargetsAndCommandsWithinLinesExist() throws {
    for text in ["`make demos`", "`trit lits head`", "`trit list --breif`", "`trit bench -z 3`"] {
      let result = try check(block("true") + text + "\n")
      #expect(result.status == 1 && result.err.contains(text.dropFirst().dropLast()), "\(result)")
    }
  }

  @Test func yamlBlocksAreExperiments() throws {
    let energy = "name: block\nvariants: [{name: a}]\nmeasure: {energy: {tokens: 0}}\n"
    let fine = try check(block(energy + "plots: [energy]", "yaml"))
    #expect(fine.status == 0, "\(fine)")
    // What README's experiment lacked: a figure without the measure that it draws.
    let result = try check(block(energy + "plots: [quality-vs-bits]", "yaml"))
    #expect(result.status == 1 && result.err.contains("quality-vs-bits"), "\(result)")
  }

  @Test func experimentFilesSayHowTheyAreRun() throws {
    let body = "name: silent\nmeasure: {energy: {tokens: 0}}\n"
    let silent = try check("# Silent.\n" + body, name: "silent.yaml")
    #expect(silent.status == 1 && silent.err.contains("no command in its comments"), "\(silent)")
    let spoken = try check(
      "# Spoken.\n#\n#   trit list \\\n#     head > /dev/null\n#\n" + body, name: "spoken.yaml")
    #expect(spoken.status == 0 && spoken.out.contains("1 run"), "\(spoken)")
    let wrong = try check("# Wrong.\n#\n#   trit list lots\n" + body, name: "wrong.yaml")
    #expect(wrong.status == 1 && wrong.err.contains("wrong.yaml:3"), "\(wrong)")
  }
}
