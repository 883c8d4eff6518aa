import Foundation
import Testing
import _TritTestSupport

/// `--json` of every command: standard output is JSON to any reader, and after an error the last
/// line of standard error is.
@Suite struct JSONOutputTests {
  /// How a command is asked, and what its answer is.
  struct Case: Sendable, CustomTestStringConvertible {
    let command: String
    let words: [String]
    /// Whether there is an object a line.
    var isLines = false
    /// Members that the document, or each object of a list or of the lines, has.
    let members: [String]

    var testDescription: String { ([command] + words).joined(separator: " ") }

    init(_ command: String, _ words: String, lines: Bool = false, _ members: [String]) {
      self.command = command
      self.words = words.split(separator: " ").map(String.init)
      isLines = lines
      self.members = members
    }
  }

  private static let tiny = "-m builtin:tiny -t 1"
  static let cases = [
    Case("generate", "\(tiny) -p Once -n 3", ["text", "tokens", "timings", "finish", "seed"]),
    Case(
      "chat", "\(tiny) --template chat.jinja -p Once -n 3 -st", lines: true,
      ["user", "text", "tokens", "kept_tokens", "finish", "timings"]),
    Case(
      "template", "--template chat.jinja -f messages.json", ["prompt", "template", "name"]),
    Case(
      "perplexity", "\(tiny) -f text.txt -c 16 --chunks 1", ["perplexity", "mean_nll", "undefined"]),
    Case("perplexity", "\(tiny) -f text.txt -c 16 --chunks 2 --kl-divergence", ["mean_kld"]),
    Case(
      "perplexity",
      "\(tiny) -f builtin:storyteller/tasks --multiple-choice "
        + "--multiple-choice-tasks 2", ["all", "kinds"]),
    Case(
      "embed", "\(tiny) -p Hi", ["dimension", "pooling", "embeddings"]),
    Case(
      "tasks", "\(tiny) --tasks piqa --data piqa.jsonl",
      ["results", "configs", "versions", "n-shot", "n-samples", "config", "tritlab"]),
    Case(
      "arena", "i2_s/scalar --shape 64x256 --tokens 1 --runs 1 --budget 0 --against reference",
      ["schema", "kernel", "verdicts"]),
    Case("bench", "\(tiny) -p 4 -n 2 -r 1", ["avg_ts", "samples_ns", "kernel"]),
    Case("bench", "\(tiny) -p 4 -n 2 -r 1 -o jsonl", lines: true, ["avg_ts", "kernel"]),
    Case(
      "train", "train.yaml -t 1", ["model", "steps", "validation_loss", "last_loss", "seconds"]),
    Case(
      "export", "-m builtin:tiny -o tiny.gguf",
      ["path", "architecture", "tensors", "tensor_bytes", "bits_per_weight", "notes", "readers"]),
    Case("peak", "-t 1", ["cpu", "clock_hz", "caches", "int8", "reading", "region"]),
    Case("kernel", "list", lines: true, ["name", "exactness", "available"]),
    Case("kernel", "check i2_s/scalar --tokens 1", lines: true, ["kernel", "rows", "columns"]),
    Case(
      "compare", "runs/pairs --of perplexity", ["comparisons", "problems", "tolerance", "worse"]),
    Case("cache", "list", ["path", "bytes", "usable"]),
    Case("cache", "clear", ["folder", "removed", "bytes"]),
    Case(
      "dummy", "--preset \(smallest) --layers 1 -o dummy.gguf",
      ["path", "preset", "layers", "model_layers", "ternary_weights"]),
    Case(
      "logits", "\(tiny) --tokens 1,2,3 -o out.safetensors",
      ["path", "model", "positions", "vocabulary"]),
    Case("inspect", "builtin:tiny", ["tensors"]),
    Case("doctor", "builtin:tiny", ["findings", "trials", "tensors", "notes"]),
    Case("inspect", "builtin:tiny --activations --data text.txt", ["input", "values", "zero"]),
    Case("tokenize", "-m builtin:tiny -p Once", ["ids", "tokens"]),
    Case("tokenize", "-m builtin:tiny -p Once --ids", []),
    Case("detokenize", "-m builtin:tiny --ids 5,6", ["ids", "text"]),
    Case("new", "kernel mine -o made", ["stage", "name", "language", "files"]),
    Case("notebook", "new made.md", ["file"]),
    Case("notebook", "convert lesson.md", lines: true, ["file", "title", "written"]),
    Case("notebook", "run lesson.md", lines: true, ["file", "passed", "seconds", "cells"]),
    Case("list", "", ["key", "stage", "implementations"]),
    Case("list", "kernel", ["key", "stage", "implementations"]),
    Case("explain", "packing i2_s", ["what", "name", "groups", "bytes", "text", "svg"]),
    Case("explain", "format -o format.svg", ["what", "formats", "file"]),
    Case("schema", "", ["$schema", "properties"]),
    Case("completions", "bash", ["shell", "script"]),
    Case("run", "study.yaml -t 1", ["directory", "records", "notes", "reused", "interrupted"]),
    Case("run", "study.yaml --list", ["index", "id", "name", "label", "reused", "overrides"]),
    Case("run", "study.yaml -t 1 -j 2", ["directory", "records", "notes", "reused"]),
    Case("run", "study.yaml --emit slurm", ["form", "variants", "script"]),
    Case(
      "collect", "shards --allow-missing", ["directory", "records", "missing", "sources", "files"]),
    Case("help", "", ["name", "usage", "options", "arguments", "examples"]),
    Case("--version", "", ["version", "commit", "cpu", "blas"]),
  ]

  /// The preset whose file is the smallest.
  private static let smallest = "large"

  /// A folder with what the cases name.
  private static func scratch() throws -> TemporaryFolder {
    let folder = try TemporaryFolder("json")
    try folder.write(
      String(repeating: "Once upon a time there was a dog. The dog had a red ball. ", count: 20),
      to: "text.txt")
    try folder.write("{{ messages[0].content }}", to: "chat.jinja")
    try folder.write(#"[{"role": "user", "content": "Once"}]"#, to: "messages.json")
    try folder.write(
      #"{"goal": "a", "sol1": "b", "sol2": "c", "label": 1}"#, to: "piqa.jsonl")
    try folder.write(
      """
      name: study
      model: builtin:tiny
      sweep: {cache: [f32, f16]}
      measure: {generate: {prompts: [Once], tokens: 2}}
      """, to: "study.yaml")
    try folder.write(
      """
      name: pairs
      model: builtin:tiny
      reference: none
      sweep: {cache: [f32, int8]}
      measure: {perplexity: {data: text.txt, context: 16, chunks: 3}}
      """, to: "pairs.yaml")
    try folder.write("# One\n\n```swift\n1 + 1\n```\n", to: "lesson.md")
    try folder.write(
      """
      name: small
      output: model
      data: {train: builtin:storyteller/train, valid: builtin:storyteller/valid, tokens: 20000,
        valid-tokens: 2000}
      tokenizer: {vocabulary: 300, bytes: 100000}
      model: {block: bitnet, hidden: 32, feed-forward: 64, layers: 1, heads: 2, key-value-heads: 1,
        context: 32}
      quantization: {quantizer: absmean, activations: int8}
      optimisation: {steps: 2, batch: 2, length: 32, rate: 0.002, warmup: 1}
      validation: {every: 2, sequences: 2}
      seed: 1
      """, to: "train.yaml")
    return folder
  }

  /// Something for `cache` to tell about: a file with the name of an image that is none.
  private static func keep(in folder: TemporaryFolder) throws {
    let images = folder.file("cache/tritlab/images")
    try FileManager.default.createDirectory(
      atPath: images, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try folder.write("no image at all", to: "cache/tritlab/images/head-0.image")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: images + "/head-0.image")
  }

  @Test(arguments: cases)
  func standardOutputIsJSON(_ one: Case) throws {
    let folder = try Self.scratch()
    let place = ["XDG_CACHE_HOME": folder.file("cache")]
    try Self.keep(in: folder)
    if one.command == "compare" {
      let run = try CommandRunner.run(["run", "pairs.yaml", "-q"], folder: folder.path)
      #expect(run.status == 0, "\(run)")
    }
    if one.command == "collect" {
      let part = try CommandRunner.run(
        ["run", "study.yaml", "-t", "1", "--index", "0", "-o", "shards"], environment: place,
        folder: folder.path)
      #expect(part.status == 0, "\(part)")
    }
    let result = try CommandRunner.run(
      [one.command] + one.words + ["--json"], environment: place, folder: folder.path)
    #expect(result.status == 0, "\(result)")
    let texts =
      one.isLines ? result.out.split(separator: "\n").map(String.init) : [result.out]
    try #require(!texts.isEmpty)
    for text in texts {
      // Foundation's reader takes no NaN and no Infinity, as RFC 8259 has it.
      let document = try JSONSerialization.jsonObject(with: Data(text.utf8))
      let objects = document as? [[String: Any]] ?? [document as? [String: Any]].compactMap(\.self)
      for object in objects {
        for member in one.members { #expect(object[member] != nil, "\(member) in \(text)") }
      }
      #expect(!objects.isEmpty || one.members.isEmpty, "\(result)")
    }
  }

  /// No command is without a case, and none without the option.
  @Test func everyCommandIsAsked() throws {
    let help = try CommandRunner.run(["help", "--json"])
    let list = try #require(
      JSONSerialization.jsonObject(with: Data(help.out.utf8)) as? [[String: Any]])
    let names = list.compactMap { $0["name"] as? String }
    #expect(names.sorted() == HelpTests.commands.sorted())
    #expect(Set(names).isSubset(of: Set(Self.cases.map(\.command))))
    for name in names {
      let result = try CommandRunner.run([name, "--help", "--json"])
      let command = try #require(
        JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any])
      let options = try #require(command["options"] as? [[String: Any]])
      #expect(options.filter { ($0["names"] as? [String]) == ["--json"] }.count == 1, "\(name)")
    }
  }

  /// The last line of standard error, for programs.
  private func complaint(_ words: [String]) throws -> (status: Int32, document: [String: Any]) {
    let result = try CommandRunner.run(words)
    #expect(result.err.hasPrefix("trit: error: "), "\(result)")
    let line = try #require(result.err.split(separator: "\n").last)
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(document["exit_code"] as? Int == Int(result.status), "\(result)")
    return (result.status, document)
  }

  @Test(arguments: HelpTests.commands)
  func errorsAreJSONToo(command: String) throws {
    let (status, document) = try complaint([command, "--no-such-option", "--json"])
    #expect(status == 64)
    let error = try #require(document["error"] as? [String: Any])
    #expect(
      Set(error.keys) == ["kind", "code", "what", "place", "expected", "got", "advice"])
    #expect(error["kind"] as? String == "usage")
    #expect(error["code"] as? String == "option.unknown")
    #expect((error["what"] as? String)?.contains("--no-such-option") == true)
  }

  @Test func errorsOfTheLabAreToldPartByPart() throws {
    let unknown = try complaint(
      ["generate", "-m", "builtin:tiny", "-p", "a", "--kernel", "i2s", "--json"]).document
    let error = try #require(unknown["error"] as? [String: Any])
    #expect(error["code"] as? String == "name.unknown")
    #expect((error["advice"] as? String)?.contains("i2_s") == true)
    let missing = try complaint(["inspect", "nowhere.gguf", "--json"])
    #expect(missing.status == 66)
    #expect((missing.document["error"] as? [String: Any])?["kind"] as? String == "missing_input")
    // Problems of a file come together.
    let folder = try TemporaryFolder("json")
    try folder.write(
      "name: a\nmodel: x\nmeasure: {size: true}\nbase: {kernel: a, cache: b}\n", to: "a.yaml")
    let both = try complaint(["run", folder.file("a.yaml"), "--json"]).document
    #expect((both["errors"] as? [[String: Any]])?.count ?? 0 >= 2, "\(both)")
    // Without the option nothing of it is printed.
    let plain = try CommandRunner.run(["inspect", "nowhere.gguf"])
    #expect(!plain.err.contains("{"), "\(plain)")
    let off = try CommandRunner.run(["inspect", "nowhere.gguf", "--json", "--json=false"])
    #expect(!off.err.contains("{"), "\(off)")
  }

  /// A verdict has both: the answer on standard output, what is wrong with it on standard error.
  @Test func aVerdictIsToldBesideItsAnswer() throws {
    let folder = try TemporaryFolder("json")
    try Self.keep(in: folder)
    let result = try CommandRunner.run(
      ["cache", "verify", "--json"], environment: ["XDG_CACHE_HOME": folder.file("cache")])
    #expect(result.status == 2, "\(result)")
    let list = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [[String: Any]]
    #expect(list?.map { $0["verified"] as? Bool } == [false])
    let line = try #require(result.err.split(separator: "\n").last)
    let document = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect((document?["error"] as? [String: Any])?["kind"] as? String == "verdict")
  }

  /// A list that has begun is closed, whatever happens.
  @Test func benchIsJSONAlsoWhereItFails() throws {
    let model = ["bench", "-m", "builtin:tiny", "-p", "2", "-n", "0", "-r", "1", "-t", "1"]
    let failed = try CommandRunner.run(model + ["--kernel", "nosuch", "--json"])
    #expect(failed.status == 64 && failed.out == "[]\n", "\(failed)")
    let both = try CommandRunner.run(model + ["-o", "md", "--json"])
    #expect(both.status == 64 && both.err.contains("exclude one another"), "\(both)")
  }

  /// Part of a character has bytes and no text; whole tokens put together are the text again.
  @Test func tokensHaveTextAndBytes() throws {
    let result = try CommandRunner.run(
      ["tokenize", "-m", "builtin:tiny", "-p", "Once é", "--no-bos", "--json"])
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any])
    let tokens = try #require(document["tokens"] as? [[String: Any]])
    let ids = try #require(document["ids"] as? [Int])
    #expect(tokens.compactMap { $0["id"] as? Int } == ids)
    let bytes = tokens.flatMap { $0["bytes"] as? [Int] ?? [] }.map(UInt8.init)
    #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("Once é"))
    let back = try CommandRunner.run(
      ["detokenize", "-m", "builtin:tiny", "--json", "--ids"]
        + [ids.map(String.init).joined(separator: ",")])
    #expect(back.out.contains("Once é"), "\(back)")
  }
}
