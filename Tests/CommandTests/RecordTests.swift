import Foundation
import Testing
import TritLab
import _TritTestSupport

/// A small experiment on a tiny checkpoint, and what its run directories hold.
struct SmallExperiment {
  let folder: TemporaryFolder
  let model: String
  let file: String

  /// Writes model, text and questions. With `isLong` a variant takes a second or so, to be stopped
  /// in it.
  init(isLong: Bool = false) throws {
    folder = try TemporaryFolder("records")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    try folder.write(
      String(repeating: "once upon a time the end. ", count: isLong ? 20_000 : 60), to: "text.txt")
    try folder.write(
      """
      {"kind": "a", "context": "once upon", "choices": [" a time", " the end."], "answer": 0}
      {"kind": "b", "context": "the", "choices": [" end.", " once upon a time"], "answer": 0}
      """, to: "questions.jsonl")
    file = try folder.write(
      """
      name: small
      reference: openblas-f32
      sweep:
        kernel: [reference, i2_s, tl2]
      variants:
        - {name: other head, kernel: i2_s, head: int8, cache: int8}
      measure:
        generate: {prompts: [{text: once upon}, {text: the}], tokens: 12, seed: 3,
          sampler: {temperature: 0.9}}
        perplexity: {data: text.txt, context: 32, chunks: \(isLong ? 120 : 6)}
        divergence: {context: 32, chunks: 4}
        tasks: {data: questions.jsonl}
        weights: {}
        energy: {tokens: 0}
      plots: [perplexity-by-variant, kl-by-position, task-accuracy]
      """, to: "small.yaml")
  }

  /// The words after `trit`.
  func words(_ output: String = "out", _ more: [String] = []) -> [String] {
    ["run", file, "--set", "model=\(model)", "-o", folder.file(output), "-t", "1"] + more
  }

  /// The newest run directory below `output`; nil before there is one.
  func newest(_ output: String = "out") -> String? {
    let parent = folder.file(output) + "/small"
    let names = try? FileManager.default.contentsOfDirectory(atPath: parent).sorted()
    return names?.last.map { parent + "/" + $0 }
  }

  /// The text of the newest run's `results.jsonl`; empty before there is one.
  func log(_ output: String = "out") -> String {
    newest(output).flatMap { FileManager.default.contents(atPath: $0 + "/results.jsonl") }
      .map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Its whole lines. Every one of them must be a record.
  func records(_ output: String = "out") throws -> [JSONValue] {
    let text = log(output)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { line in
      let value = try JSONReader.read(String(line), path: "results.jsonl")
      #expect(value["schema"]?.string == "trit/run/1", "\(line.prefix(200))")
      return value
    }
  }

  /// Number of whole lines, as they grow.
  func count(_ output: String = "out") -> Int { log(output).count { $0 == "\n" } }

  /// Every file of this program's that nobody finished.
  func leftovers() -> [String] {
    let all =
      FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.contains(".partial-") || $0.contains("/plots/.") }
  }

  /// A record without times, speeds, the peak of memory and what is said about the machine's load:
  /// what two runs must agree on, byte by byte.
  static func timeless(_ value: JSONValue) -> String { JSONWriter.text(filtered(value)) }

  private static func filtered(_ value: JSONValue) -> JSONValue {
    guard let members = value.object else { return value }
    let kept = members.filter { member in
      !["started", "ended", "reusedFrom", "memory.peak_bytes"].contains(member.key)
        && !member.key.hasSuffix("seconds") && !member.key.contains("per_second")
        && !member.key.hasSuffix("wait_share") && !member.key.hasPrefix("warning")
    }
    return .object(kept.map { (key: $0.key, value: filtered($0.value)) })
  }
}

/// Records say what was measured, on what, and nothing else.
@Suite struct RecordTests {
  @Test func twoRunsInTwoFoldersGiveTheSameBytes() throws {
    let small = try SmallExperiment()
    for output in ["one", "two/deeper"] {
      let result = try CommandRunner.run(small.words(output))
      #expect(result.status == 0, "\(result)")
    }
    let one = try small.records("one").map(SmallExperiment.timeless)
    let two = try small.records("two/deeper").map(SmallExperiment.timeless)
    #expect(one.count == 5 && one == two)
    let directories = [try #require(small.newest("one")), try #require(small.newest("two/deeper"))]
    for name in [
      "experiment.yaml", "plots/perplexity-by-variant.tsv", "plots/kl-by-position.tsv",
      "plots/task-accuracy.tsv",
    ] {
      let bytes = directories.map { FileManager.default.contents(atPath: $0 + "/" + name) }
      #expect(bytes[0] != nil && bytes[0] == bytes[1], "\(name)")
    }
  }

  /// The same bytes are two measurements where they are read in two ways: control tokens, and a
  /// floor.
  @Test(arguments: [false, true]) func aTextReadInAnotherWayIsAnotherText(fileFirst: Bool) throws {
    let folder = try TemporaryFolder("reading")
    let text = try TextDataset.load("builtin:storyteller/test:20").text
    let copy = try folder.write(text, to: "stories.txt")
    let file = try folder.write(
      """
      name: stories
      model: builtin:storyteller
      base: {kernel: i2_s}
      reference: none
      measure: {perplexity: {data: "builtin:storyteller/test:20", context: 64, chunks: 8}}
      """, to: "stories.yaml")
    func perplexity(_ data: String, _ output: String) throws -> JSONValue {
      let result = try CommandRunner.run([
        "run", file, "--set", "measure.perplexity.data=\(data)", "-o", folder.file(output), "-t",
        "1",
      ])
      #expect(result.status == 0, "\(result)")
      #expect(!result.err.contains("known from"), "\(result)")
      let parent = folder.file(output) + "/stories"
      let newest = try #require(
        FileManager.default.contentsOfDirectory(atPath: parent).sorted().last)
      let line = try String(contentsOfFile: "\(parent)/\(newest)/results.jsonl", encoding: .utf8)
      return try #require(try JSONReader.read(line)["metrics"])
    }
    let names =
      fileFirst ? [copy, "builtin:storyteller/test:20"] : ["builtin:storyteller/test:20", copy]
    let both = try names.map { try perplexity($0, "shared") }
    // Each is what it is alone.
    let alone = try names.enumerated().map { try perplexity($1, "alone\($0)") }
    for index in 0..<2 {
      let value = try #require(both[index]["perplexity.value"]?.double)
      #expect(value == alone[index]["perplexity.value"]?.double)
      let hasFloor = both[index]["perplexity.floor"] != nil
      #expect(hasFloor == (names[index] != copy))
    }
    #expect(both[0]["perplexity.value"]?.double != both[1]["perplexity.value"]?.double)
  }

  /// What a lossy `auto` picked by measuring is the same measurement as that choice by its own
  /// name.
  @Test func whatAutoPickedIsKnownByItsName() throws {
    let folder = try TemporaryFolder("picked")
    let file = try folder.write(
      """
      name: picked
      model: builtin:storyteller
      base: {kernel: i2_s, cache: {name: auto, loss: int8}, head: {name: auto, loss: tail}}
      reference: none
      measure: {perplexity: {data: "builtin:storyteller/test:20", context: 64, chunks: 4}}
      """, to: "picked.yaml")
    func run(_ extra: [String]) throws -> (result: CommandResult, facts: JSONValue?) {
      let result = try CommandRunner.run(
        ["run", file, "-o", folder.file("out"), "-t", "1"] + extra)
      #expect(result.status == 0, "\(result)")
      let parent = folder.file("out/picked")
      let newest = try #require(
        FileManager.default.contentsOfDirectory(atPath: parent).sorted().last)
      let line = try String(contentsOfFile: "\(parent)/\(newest)/results.jsonl", encoding: .utf8)
      return (result, try JSONReader.read(line)["facts"])
    }
    let first = try run(["--set", "base.head=exact"])
    let cache = try #require(first.facts?["cache"]?.string)
    #expect(["f32", "f16", "bf16", "int8"].contains(cache))
    let named = try run(["--set", "base.head=exact", "--set", "base.cache=\(cache)"])
    #expect(named.result.err.contains("known from"), "\(named.result)")
    // A head with parameters of its own runs as it was picked.
    let screened = try run(["--set", "base.cache=f32"])
    #expect(!screened.result.err.contains("known from"))
    #expect(screened.facts?["head"]?.string != nil)
  }

  /// The reference's sums are OpenBLAS's: another core is another measurement.
  @Test func theCoreOfOpenBLASIsAnInput() throws {
    let small = try SmallExperiment()
    var cores: Set<String> = []
    for core in ["Sandybridge", "Haswell"] {
      let result = try CommandRunner.run(small.words(), environment: ["OPENBLAS_CORETYPE": core])
      #expect(result.status == 0, "\(result)")
      let path = try #require(small.newest()) + "/environment.json"
      let isNew = cores.insert(try JSONReader.readFile(path)["openBLASCore"]?.string ?? "").inserted
      // A build of OpenBLAS for one CPU has one core.
      #expect(result.err.contains("known from") == !isNew, "\(result)")
    }
  }

  @Test func closedDescriptorsAreNoPlaceForRecords() throws {
    let small = try SmallExperiment()
    let words = small.words().map { "'\($0)'" }.joined(separator: " ")
    for closed in [">&- 2>&-", "<&- >&- 2>&-", "2>&-", "<&-"] {
      let result = try CommandRunner.shell("$TRIT \(words) --force \(closed) || echo failed $?")
      #expect(!result.out.contains("failed"), "\(closed): \(result)")
      #expect(try small.records().count == 5, "\(closed)")
    }
    let output = small.folder.file("logits.safetensors")
    let logits = try CommandRunner.shell(
      "$TRIT logits -m '\(small.model)' --tokens 1,2,3 -o '\(output)' <&- >&- 2>&-; echo $?")
    #expect(logits.out == "0\n", "\(logits)")
    #expect(try SafetensorsFile(path: output).tensors.count == 2)
  }

  @Test func aModelThatIsWrittenIntoUnderARunIsNotRecorded() throws {
    let small = try SmallExperiment(isLong: true)
    let other = try TinyCheckpoint.write(.bitnetOnline, seed: 9, in: small.folder)
    let path = small.model + "/model.safetensors"
    let bytes = try #require(FileManager.default.contents(atPath: other + "/model.safetensors"))
    let running = try RunningCommand(small.words())
    #expect(running.wait { small.count() >= 1 })
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: bytes)
    try handle.close()
    let result = running.end()
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains("\(path): the file was changed while it was in use"), "\(result)")
    let records = try small.records()
    #expect(records.count == 5)
    #expect(records.last?["status"]?.string == "failed")
    #expect(records.last?["metrics"]?.object?.isEmpty == true)
    // Nothing of that run is taken for the model that lies there now.
    let again = try CommandRunner.run(small.words())
    #expect(again.status == 0, "\(again)")
    #expect(!again.err.contains("known from"), "\(again)")
    let fresh = try CommandRunner.run(small.words("fresh"))
    #expect(fresh.status == 0)
    #expect(
      try small.records().map(SmallExperiment.timeless)
        == small.records("fresh").map(SmallExperiment.timeless))
  }

  @Test func aModelThatIsReplacedUnderARunIsMeasuredAsItWasOpened() throws {
    let small = try SmallExperiment(isLong: true)
    let other = try TinyCheckpoint.write(.bitnetOnline, seed: 9, in: small.folder)
    let before = try CommandRunner.run(small.words("before"))
    #expect(before.status == 0)
    let running = try RunningCommand(small.words())
    #expect(running.wait { small.count() >= 1 })
    for name in ["model.safetensors", "tokenizer.json"] {
      #expect(rename("\(other)/\(name)", "\(small.model)/\(name)") == 0)
    }
    let result = running.end()
    #expect(result.status == 0, "\(result)")
    #expect(result.err.contains("model.safetensors was replaced during the run"), "\(result)")
    #expect(
      try small.records().map(SmallExperiment.timeless)
        == small.records("before").map(SmallExperiment.timeless))
    let again = try CommandRunner.run(small.words())
    #expect(again.status == 0)
    #expect(!again.err.contains("known from"), "\(again)")
  }
}
