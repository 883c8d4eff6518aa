import Foundation
import Testing
import TritCommand
import TritLab
import _TritTestSupport

/// `trit template`, `trit chat`, and what `trit generate` has of them.
@Suite struct ChatCommandTests {
  private let folder: TemporaryFolder
  private static let model = ["-m", "builtin:tiny", "-t", "1"]

  init() throws {
    folder = try TemporaryFolder("chat-command")
    try folder.write(
      "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}\n"
        + "{% if add_generation_prompt %}[assistant]{% endif %}", to: "chat.jinja")
    try folder.write(
      #"{"messages": [{"role": "user", "content": "Hi"}], "day": "%d"}"#, to: "messages.json")
    try folder.write("{{ strftime_now(day) }}", to: "day.jinja")
  }

  private func run(_ words: [String], input: String = "") throws -> CommandResult {
    try CommandRunner.run(words, input: input, folder: folder.path)
  }

  @Test func templatePrintsThePromptAndNothingElse() throws {
    let asked = try run(["template", "--template", "chat.jinja", "-f", "messages.json"])
    #expect(asked.status == 0 && asked.out == "[user] Hi\n[assistant]" && asked.err.isEmpty)
    let over = try run(
      ["template", "--template", "chat.jinja", "-f", "messages.json", "--no-generation-prompt"])
    #expect(over.out == "[user] Hi\n")
    let piped = try run(
      ["template", "--template", "chat.jinja", "-f", "-"], input: #"[{"role": "x", "content": 1}]"#)
    #expect(piped.out == "[x] 1\n[assistant]")
    let day = try run(
      ["template", "--template", "day.jinja", "-f", "messages.json", "--now", "2026-01-05"])
    #expect(day.out == "05")
  }

  @Test func templateSaysWhatIsWrong() throws {
    try folder.write("a\n{{ b.c }}", to: "bad.jinja")
    let failed = try run(["template", "--template", "bad.jinja", "-f", "messages.json"])
    #expect(failed.status == 65 && failed.out.isEmpty)
    #expect(failed.err.contains("bad.jinja:2:5: the template fails: 'b' is undefined"))
    let time = try run(
      ["template", "--template", "day.jinja", "-f", "messages.json", "--now", "noon"])
    #expect(time.status == 64 && time.err.contains("2026-01-05T09:03:07"))
    let none = try run(["template", "-m", "builtin:tiny", "-f", "messages.json"])
    #expect(none.status == 66 && none.err.contains("--template FILE.jinja"))
    #expect(try run(["template", "-f", "messages.json"]).status == 64)
    #expect(try run(["template", "--template", "chat.jinja"]).status == 64)
  }

  @Test func generateAnswersAMessage() throws {
    let words = ["generate"] + Self.model + ["-p", "Hi", "-n", "4", "--temp", "0", "--chat"]
    let shown = try run(words + ["--template", "chat.jinja", "-sys", "S", "--display-prompt"])
    #expect(shown.status == 0 && shown.out.hasPrefix("[system] S\n[user] Hi\n[assistant]"))
    let bare = try run(words + ["--template", "chat.jinja", "-sys", "S"])
    #expect("[system] S\n[user] Hi\n[assistant]" + bare.out == shown.out)
    let none = try run(words)
    #expect(none.status == 66 && none.err.contains("has no chat template"))
    let alone = try run(["generate"] + Self.model + ["-p", "Hi", "-sys", "S"])
    #expect(alone.status == 64 && alone.err.contains("--chat"))
  }

  @Test func generateStopsAtATextAndSeesTwoBOS() throws {
    let words = ["generate"] + Self.model + ["-p", "Once", "-n", "30", "--temp", "0"]
    let whole = try run(words + ["--no-display-prompt"]).out.dropLast()
    let stop = String(whole.dropFirst(8).prefix(3))
    let ended = try run(words + ["--no-display-prompt", "-r", stop])
    #expect(
      ended.out == String(whole[..<(whole.range(of: stop)?.lowerBound ?? whole.endIndex)]) + "\n")
    let json = try run(words + ["--json", "--stop", stop])
    let finish = try JSONReader.read(json.out)["finish"]?.string
    #expect(finish == "stop")
    #expect(try run(words + ["--stop", ""]).status == 64)
    // Without BOS the prompt has a token less, where the tokenizer puts one there.
    func prompt(_ more: [String]) throws -> [Int] {
      let tokens = try JSONReader.read(try run(words + ["--json"] + more).out)["prompt_tokens"]
      return tokens?.array?.compactMap(\.integer) ?? []
    }
    let (with, without) = (try prompt([]), try prompt(["--no-bos"]))
    #expect(with.suffix(without.count) == without[...] && !without.isEmpty)
  }

  @Test func samplersTakeTheValuesOfOptions() throws {
    let words = ["generate"] + Self.model + ["-p", "Once", "-n", "40", "--seed", "3"]
    let standard = try run(words)
    let order = try run(
      words + ["--samplers", "penalties;dry;top_k;typ_p;top_p;min_p;xtc;temperature"])
    #expect(order.status == 0 && order.out == standard.out)
    let valued = try run(
      words + ["--samplers", "top_k;temperature", "--top-k", "2", "--temp", "1.5"])
    let written = try run(words + ["--samplers", "top-k:k=2;temperature:value=1.5"])
    #expect(valued.out == written.out)
    let unused = try run(words + ["--samplers", "top_k", "--dry-multiplier", "1"])
    #expect(unused.status == 64)
    let twice = try run(words + ["--samplers", "top-k:k=2", "--top-k", "3"])
    #expect(twice.status == 64)
    for more in [
      ["--mirostat", "1"], ["--mirostat", "2", "--mirostat-ent", "3"],
      ["--xtc-probability", "1", "--xtc-threshold", "0"],
    ] {
      let other = try run(words + more)
      #expect(other.status == 0 && other.out != standard.out)
    }
    #expect(try run(words + ["--mirostat", "3"]).status == 64)
    #expect(
      try run(words + ["--dry-multiplier", "0.8", "--dry-sequence-breaker", "none"]).status == 0)
  }

  @Test func chatAnswersTheLinesOfAPipe() throws {
    let words =
      ["chat"] + Self.model
      + ["--template", "chat.jinja", "-n", "5", "--temp", "0"]
    let lines = try run(
      words + ["--json"], input: "Hi\nA long\\\nmessage\n/reset\nHi\n/nope\n//x\n/exit\nno\n")
    #expect(lines.status == 0, "\(lines)")
    let turns = try lines.out.split(separator: "\n").map { try JSONReader.read(String($0)) }
    #expect(turns.map { $0["user"]?.string } == ["Hi", "A long\nmessage", "Hi", "/x"])
    #expect((turns[1]["kept_tokens"]?.integer ?? 0) > 0)
    #expect(turns[0]["text"] == turns[2]["text"])
    #expect(lines.err.contains("there is no command '/nope'"))
    let plain = try run(words + ["-p", "Hi", "-st"])
    #expect(plain.out == (turns[0]["text"]?.string ?? "") + "\n")
    let system = try run(words + ["--json"], input: "/system Be brief\nHi")
    #expect(try JSONReader.read(system.out)["text"] != nil)
  }

  // MARK: Line editing

  private func type(_ text: String, into editor: inout LineEditor) -> [LineEditor.Event] {
    text.utf8.compactMap { editor.take($0) }
  }

  private func line(_ keys: String) -> LineEditor.Event? {
    var editor = LineEditor()
    return type(keys + "\r", into: &editor).last
  }

  @Test func keysEditALine() {
    #expect(line("abc") == .line("abc"))
    #expect(line("ac\u{1B}[Db") == .line("abc"))
    #expect(line("abx\u{7F}c") == .line("abc"))
    #expect(line("bc\u{01}a\u{05}d") == .line("abcd"))
    #expect(line("abc\u{1B}[H\u{1B}[3~") == .line("bc"))
    #expect(line("one two\u{17}three") == .line("one three"))
    #expect(line("abc\u{02}\u{02}\u{0B}") == .line("a"))
    #expect(line("abc\u{02}\u{15}") == .line("c"))
    #expect(line("e\u{301}x\u{7F}\u{7F}é🙂") == .line("é🙂"))
    #expect(line("a\u{1B}[99;99Xb\u{1B}Oc") == .line("ab"))
    #expect(line("one two\u{1B}[1;5Dx\u{1B}[1;5Cy") == .line("one xtwoy"))
  }

  @Test func linesAreRemembered() {
    var editor = LineEditor()
    _ = type("one\rtwo\r", into: &editor)
    let (up, down) = ("\u{1B}[A", "\u{1B}[B")
    #expect(type(up + "\r", into: &editor).last == .line("two"))
    #expect(type(up + up + "\r", into: &editor).last == .line("one"))
    #expect(type("new" + up + down + "!\r", into: &editor).last == .line("new!"))
    #expect(type("abc\u{03}", into: &editor).last == .cancelled)
    #expect(type("\u{04}", into: &editor).last == .end)
    #expect(type("a\u{04}\r", into: &editor).last == .line("a"))
  }
}
