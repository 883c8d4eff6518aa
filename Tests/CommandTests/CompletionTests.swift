import Foundation
import Testing
import _TritTestSupport

/// What shells offer: commands, options, stages with their parameters, built-in models, files of
/// the right kind.
@Suite struct CompletionTests {
  /// What bash offers for a line whose words are as bash takes them apart, at ':' and '='.
  private func offered(_ words: [String], in folder: String = "/") throws -> [String] {
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    let result = try CommandRunner.shell(
      "source <(trit completions bash); cd '\(folder)'; COMP_WORDS=(\(list)); "
        + "COMP_CWORD=\(words.count - 1); _trit; printf '%s\\n' \"${COMPREPLY[@]}\"")
    #expect(result.status == 0 && result.err.isEmpty, "\(result)")
    return result.out.split(separator: "\n").map(String.init)
  }

  @Test func stagesAreOffered() throws {
    #expect(try offered(["trit", "generate", "--kernel", "i2_s/sc"]) == ["i2_s/scalar"])
    #expect(try offered(["trit", "bench", "--kernel", "i2_s,openb"]) == ["i2_s,openblas"])
    #expect(try offered(["trit", "generate", "-ctk", "int"]) == ["int8"])
    #expect(try offered(["trit", "perplexity", "--attention", "na"]) == ["naive"])
    #expect(try offered(["trit", "export", "--quantizer", "absmean-"]) == ["absmean-ls"])
    #expect(try offered(["trit", "logits", "--kernel", "=", "openb"]) == ["openblas"])
    #expect(try offered(["trit", "help", "tok"]) == ["tokenize"])
    // All of a kind: as many as 'trit list' has, and the word for the model's own.
    let listed = try CommandRunner.shell("trit list quantizer --json | grep -c '\"exactness\"'").out
    let count = Int(listed.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    #expect(try offered(["trit", "generate", "--quantizer", ""]).count == count + 1)
  }

  @Test func parametersAreOfferedBehindTheColon() throws {
    let absmean = ["trit", "generate", "--quantizer", "absmean", ":"]
    #expect(
      try offered(absmean + ["granularity", "=", "r"]) == ["row"])
    #expect(try offered(absmean + ["grou"]) == ["group="])
    #expect(try offered(absmean + ["group", "=", "64,granularity", "=", "t"]) == ["tensor"])
    #expect(try offered(["trit", "generate", "--quantizer", "none", ":"]).isEmpty)
  }

  @Test func modelsAndFilesAreOffered() throws {
    #expect(try offered(["trit", "generate", "-m", "builtin", ":", "tiny-"]) == ["tiny-fp"])
    #expect(try offered(["trit", "tokenize", "--model", "builtin:tiny-"]) == ["builtin:tiny-fp"])
    let folder = try TemporaryFolder("completion")
    for name in ["study one.yaml", "study.yml", "study.txt", "stage.c", "story.gguf"] {
      try folder.write("", to: name)
    }
    try FileManager.default.createDirectory(
      atPath: folder.file("studies"), withIntermediateDirectories: true)
    let run = try offered(["trit", "run", "st"], in: folder.path)
    #expect(Set(run) == ["studies/", "study\\ one.yaml", "study.yml"])
    let plugins = try offered(["trit", "list", "--plugin", "st"], in: folder.path)
    #expect(Set(plugins) == ["studies/", "stage.c"])
    #expect(try offered(["trit", "generate", "-m", "sto"], in: folder.path) == ["story.gguf"])
  }

  /// bash itself, on a terminal, with the Tab key: what arrives at the command.
  @Test(.enabled(if: StubMachine.find("script") != nil, "there is no 'script'"))
  func bashCompletesOnATerminal() throws {
    let folder = try TemporaryFolder("completion")
    try folder.write(
      """
      trit() { printf 'GOT<%s>\\n' "$*"; }
      source <("$TRIT" completions bash)
      trit gene\t--kernel openb\t
      trit generate --quantizer absmean:granularity=r\t
      trit generate --quantizer=absmean:grou\t128 --cache=int\t
      trit detokenize -m builtin:tiny-\t
      exit

      """, to: "keys")
    let result = try CommandRunner.shell(
      "script -qec 'bash --norc -i' /dev/null < '\(folder.file("keys"))'")
    let got = result.out.replacing("\r\n", with: "\n").components(separatedBy: "\n")
      .filter { $0.hasPrefix("GOT<") }
    #expect(
      got == [
        "GOT<generate --kernel openblas>", "GOT<generate --quantizer absmean:granularity=row>",
        "GOT<generate --quantizer=absmean:group=128 --cache=int8>",
        "GOT<detokenize -m builtin:tiny-fp>",
      ], "\(result)")
  }

  @Test func fishIsToldTheSame() throws {
    let script = try CommandRunner.run(["completions", "fish"]).out
    let kernel = try #require(
      script.split(separator: "\n").first {
        $0.contains("from generate'") && $0.contains("-l kernel ")
      })
    #expect(kernel.contains("i2_s/scalar") && kernel.contains("-f -a"))
    #expect(script.contains("absmean:granularity=row"))
    #expect(script.contains("builtin:tiny-fp"))
    #expect(script.contains("(__fish_complete_suffix .yaml)"))
  }
}
