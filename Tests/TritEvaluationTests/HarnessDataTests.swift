import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Where records are looked for, and what is said of those that are wrong or not there.
@Suite struct HarnessDataTests {
  /// A record of each task that is right.
  static let good: [(task: String, line: String)] = [
    (
      "hellaswag",
      #"{"activity_label": "A", "ctx_a": "b", "ctx_b": "c", "endings": ["d", "e"], "label": "1"}"#
    ),
    ("piqa", #"{"goal": "a", "sol1": "b", "sol2": "c", "label": 1}"#),
    (
      "arc_easy",
      #"{"question": "a", "choices": {"text": ["b", "c"], "label": ["A", "B"]}, "answerKey": "B"}"#
    ),
    (
      "openbookqa",
      #"{"question_stem": "a", "choices": {"text": ["b", "c"], "label": ["A", "B"]}, "answerKey": " B"}"#
    ),
    ("winogrande", #"{"sentence": "a _ b", "option1": "c", "option2": "d", "answer": "2"}"#),
    ("boolq", #"{"passage": "a", "question": "b", "label": 0}"#),
    (
      "sciq",
      #"{"question": "a", "support": "b", "distractor1": "c", "distractor2": "d", "distractor3": "e", "correct_answer": "f"}"#
    ),
    (
      "mmlu_anatomy",
      #"{"question": "a", "subject": "anatomy", "choices": ["b", "c", "d", "e"], "answer": 3}"#
    ),
    ("lambada_openai", #"{"text": "a b c"}"#), ("lambada_standard", #"{"text": "a b c"}"#),
    ("wikitext", #"{"page": "a b c"}"#),
  ]

  /// Runs a task on a file with these bytes; the error's text.
  private func complaint(
    _ task: String, _ text: String, shots: Int = 0, limit: Double? = nil
  ) throws -> String {
    let folder = try TemporaryFolder("harness")
    try folder.write(text, to: "data.jsonl")
    return Self.complaint(task, folder.file("data.jsonl"), shots: shots, limit: limit)
      .replacing(folder.file("data.jsonl"), with: "FILE")
  }

  private static func complaint(
    _ task: String, _ path: String?, examples: String? = nil, shots: Int = 0, limit: Double? = nil,
    environment: [String: String] = [:]
  ) -> String {
    do {
      let selection = try HarnessSelection([task])
      let options = HarnessOptions(shots: shots, limit: limit)
      let data = try HarnessData(
        path, examples: examples, isAlone: selection.tasks.count == 1, environment: environment)
      var scorer = HashScorer()
      _ = try HarnessEvaluation.measure(
        &scorer, selection, try selection.tasks.map { try HarnessQuestions($0, data, options) },
        options)
      return ""
    } catch let error as LabError {
      return error.description
    } catch {
      return "\(type(of: error))"
    }
  }

  @Test(arguments: good) func everyFieldOfEveryTaskIsChecked(_ task: String, _ line: String) throws
  {
    #expect(try complaint(task, line + "\n") == "")
    let value = try JSONReader.read(line)
    let members = try #require(value.object)
    for member in members {
      func changed(_ other: JSONValue?) -> String {
        let rest = members.compactMap { key, value -> (key: String, value: JSONValue)? in
          if key != member.key { return (key, value) }
          return other.map { (key, $0) }
        }
        return "\n" + JSONWriter.text(.object(rest)) + "\n"
      }
      // A file of one subject may do without the field that tells subjects apart.
      guard member.key != "subject" else {
        #expect(try complaint(task, changed(nil)) == "")
        #expect(
          try complaint(task, changed("virology")).contains("no record has subject 'anatomy'"))
        continue
      }
      let missing = try complaint(task, changed(nil))
      #expect(
        missing.contains("FILE:2") && missing.contains("'\(member.key)' is missing"), "\(missing)")
      let null = try complaint(task, changed(.null))
      #expect(null.contains("FILE:2") && null.contains("'\(member.key)' is null"), "\(null)")
      for other in [true, .number("1.5"), [7, 7, 7, 7]] as [JSONValue] {
        let wrong = try complaint(task, changed(other))
        #expect(wrong.contains("FILE:2: \(member.key)") && wrong.contains("must be"), "\(wrong)")
      }
    }
  }

  @Test func labelsOutsideTheChoicesAreErrors() throws {
    func line(_ task: String, _ old: String, _ new: String) throws -> String {
      let line = try #require(Self.good.first { $0.task == task }).line
      #expect(line.contains(old))
      return try complaint(task, line.replacing(old, with: new))
    }
    for (task, old, new, words) in [
      (
        "hellaswag", #""label": "1""#, #""label": "2""#,
        ["FILE:1: label", "outside the choices", "0…1", "got: 2"]
      ),
      (
        "hellaswag", #""label": "1""#, #""label": """#,
        ["FILE:1: label", "answers are not published"]
      ),
      ("hellaswag", #""label": "1""#, #""label": "x""#, ["FILE:1: label", "the text 'x'"]),
      ("piqa", #""label": 1"#, #""label": -1"#, ["FILE:1: label", "got: -1", "not published"]),
      ("piqa", #""label": 1"#, #""label": 2"#, ["FILE:1: label", "0…1"]),
      ("boolq", #""label": 0"#, #""label": 2"#, ["FILE:1: label"]),
      ("arc_easy", #""B"}"#, #""C"}"#, ["FILE:1: answerKey", "label 'C'", "A, B"]),
      ("arc_easy", #""B"}"#, #"" B"}"#, ["FILE:1: answerKey", "label ' B'"]),
      ("arc_easy", #"["A", "B"]"#, #"["A"]"#, ["FILE:1: choices.label", "another length"]),
      ("arc_easy", #"["b", "c"]"#, #"["b"]"#, ["FILE:1: choices.text", "two or more"]),
      ("arc_easy", #"["b", "c"]"#, #"["b", 7]"#, ["FILE:1: choices.text[1]", "the number 7"]),
      ("openbookqa", #"" B"}"#, #""  C"}"#, ["FILE:1: answerKey", "label 'C'"]),
      ("winogrande", #""2""#, #""0""#, ["FILE:1: answer", "1…2"]),
      ("winogrande", #""2""#, #""""#, ["FILE:1: answer", "not published"]),
      ("winogrande", "a _ b", "a b", ["FILE:1: sentence", "no '_'"]),
      ("mmlu_anatomy", #""answer": 3"#, #""answer": 4"#, ["FILE:1: answer", "0…3"]),
      ("mmlu_anatomy", #", "e"]"#, "]", ["FILE:1: choices", "4 texts", "got: 3"]),
    ] {
      let error = try line(task, old, new)
      for word in words { #expect(error.contains(word), "\(task): \(error)") }
    }
  }

  @Test func whatIsNoRecordIsToldWithItsLine() throws {
    for (text, words) in [
      ("", ["no record", "0 bytes"]), ("\n \n", ["no record", "blank lines"]),
      ("7\n", ["FILE:1", "the number 7, not an object"]),
      ("{\"page\": \"a\"}\n{\"page\": \"b", ["FILE:2"]), ("[]", ["a list"]),
      ("{\"page\": 1}{", ["FILE:1:"]),
    ] {
      let error = try complaint("wikitext", text)
      for word in words { #expect(error.contains(word), "\(text): \(error)") }
    }
    let folder = try TemporaryFolder("harness")
    let path = folder.file("bytes.jsonl")
    try Data(Array("{\"page\": \"".utf8) + [0xFF] + Array("\"}".utf8)).write(
      to: URL(fileURLWithPath: path))
    #expect(Self.complaint("wikitext", path).contains("bytes.jsonl:1:"))
    // Only what is asked is read.
    #expect(try complaint("wikitext", "{\"page\": \"a\"}\nnonsense", limit: 1) == "")
  }

  @Test func filesAreFoundByTheirNames() throws {
    let line = try #require(Self.good.first { $0.task == "arc_easy" }).line
    for (place, isAlone) in [
      ("arc_easy/test.jsonl", false), ("allenai/ai2_arc/ARC-Easy/test.jsonl", false),
      ("allenai/ai2_arc/test.jsonl", false), ("test.jsonl", true),
    ] {
      let folder = try TemporaryFolder("harness")
      try FileManager.default.createDirectory(
        atPath: (folder.file(place) as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true)
      try folder.write(line + "\n" + line, to: place)
      let task = try #require(HarnessTask.named("arc_easy"))
      let data = try HarnessData(folder.file("."), isAlone: isAlone, environment: [:])
      #expect(try data.questions(task).count == 2, "\(place)")
      // And below the folder that the environment names.
      let known = try HarnessData(
        nil, isAlone: isAlone, environment: ["TRITLAB_DATA": folder.file(".")])
      #expect(try known.questions(task).count == 2)
    }
    let subjects = try #require(HarnessTask.named("mmlu_anatomy"))
    let anatomy = try #require(Self.good.first { $0.task == "mmlu_anatomy" }).line
    for place in ["mmlu/test.jsonl", "mmlu/anatomy/test.jsonl", "cais/mmlu/all/test.jsonl"] {
      let folder = try TemporaryFolder("harness")
      try FileManager.default.createDirectory(
        atPath: (folder.file(place) as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true)
      try folder.write(
        anatomy + "\n" + anatomy.replacing("anatomy", with: "virology") + "\n", to: place)
      let data = try HarnessData(folder.file("."), isAlone: false, environment: [:])
      #expect(try data.questions(subjects).count == 1, "\(place)")
    }
  }

  @Test func whatIsMissingComesWithACommand() throws {
    let folder = try TemporaryFolder("harness data")
    let root = folder.file(".")
    #expect(Self.complaint("piqa", nil).contains("TRITLAB_DATA"))
    #expect(Self.complaint("piqa", folder.file("nothing")).contains("no such file or folder"))
    let missing = Self.complaint("arc_easy", root)
    for word in [
      "the questions of arc_easy", "split 'test'", "arc_easy/test.jsonl", "load_dataset",
      "allenai/ai2_arc ARC-Easy test '\(root)/arc_easy/test.jsonl'", "pip install datasets",
    ] { #expect(missing.contains(word), "\(missing)") }
    #expect(Self.complaint("mmlu_anatomy", root).contains("cais/mmlu all test"))
    // Parquet of the hub: all its parts.
    try FileManager.default.createDirectory(
      atPath: folder.file("allenai/ai2_arc/ARC-Easy"), withIntermediateDirectories: true)
    for part in ["test-00001-of-00002.parquet", "test-00000-of-00002.parquet", "train.parquet"] {
      try folder.write("PAR1", to: "allenai/ai2_arc/ARC-Easy/\(part)")
    }
    let parquet = Self.complaint("arc_easy", root)
    let parts = (0...1).map { "'\(root)/allenai/ai2_arc/ARC-Easy/test-0000\($0)-of-00002.parquet'" }
    for word in [
      "Parquet", "from_parquet", parts.joined(separator: " ") + " '\(root)/arc_easy/test.jsonl'",
    ] {
      #expect(parquet.contains(word), "\(parquet)")
    }
    let alone = Self.complaint(
      "arc_easy", folder.file("allenai/ai2_arc/ARC-Easy/train.parquet"))
    #expect(alone.contains("ARC-Easy/train.jsonl'"), "\(alone)")
  }

  @Test func examplesAreFoundOrAskedFor() throws {
    let folder = try TemporaryFolder("harness")
    let line = try #require(Self.good.first { $0.task == "piqa" }).line
    try folder.write(line + "\n", to: "questions.jsonl")
    let path = folder.file("questions.jsonl")
    let none = Self.complaint("piqa", path, shots: 1)
    #expect(none.contains("--fewshot-data") && none.contains("'train'"), "\(none)")
    // One more than needed, since the question itself may be drawn.
    let few = Self.complaint("piqa", path, examples: path, shots: 1)
    #expect(few.contains("2 records or more") && few.contains("got: 1"), "\(few)")
    try folder.write(line + "\n" + line + "\n", to: "same.jsonl")
    let same = Self.complaint("piqa", path, examples: folder.file("same.jsonl"), shots: 1)
    #expect(same.contains("not the question itself"), "\(same)")
    try folder.write(line + "\n" + line.replacing("\"a\"", with: "\"x\"") + "\n", to: "other.jsonl")
    #expect(Self.complaint("piqa", path, examples: folder.file("other.jsonl"), shots: 1) == "")
    #expect(Self.complaint("avg5", path).contains("several tasks"))
  }

  @Test func tasksAndGroupsHaveNames() throws {
    #expect(HarnessTask.all.count == 68 && Set(HarnessTask.all.map(\.name)).count == 68)
    #expect(try HarnessSelection(["mmlu"]).tasks.count == 57)
    #expect(try HarnessSelection(["mmlu"]).groups.map(\.name).last == "mmlu")
    let both = try HarnessSelection(["piqa", "avg5", "piqa"])
    #expect(
      both.tasks.map(\.name) == ["piqa", "arc_easy", "arc_challenge", "hellaswag", "winogrande"])
    #expect(both.groups.map(\.name) == ["avg5"])
    do {
      _ = try HarnessSelection(["helaswag"])
      Issue.record("a task that is none")
    } catch let error as LabError {
      #expect(error.code == .unknownName && error.advice?.contains("hellaswag") == true)
    }
  }

  @Test func theMeanOfFiveIsOverTasks() throws {
    let options = HarnessOptions(limit: 5)
    let selection = try HarnessSelection(["avg5"])
    let data = try HarnessData(HarnessGoldenTests.folder, isAlone: false, environment: [:])
    var scorer = HashScorer()
    let results = try HarnessEvaluation.measure(
      &scorer, selection, try selection.tasks.map { try HarnessQuestions($0, data, options) },
      options)
    let figures = try #require(results.groups.first).figures
    func mean(_ values: [HarnessFigure?]) -> Double {
      values.reduce(0) { $0 + ($1?.value ?? .nan) } / 5
    }
    #expect(figures.map(\.name) == ["acc", "acc_norm_else_acc"])
    #expect(figures[0].value == mean(results.tasks.map { $0.figure(.accuracy) }))
    #expect(
      figures[1].value
        == mean(results.tasks.map { $0.figure(.normalizedAccuracy) ?? $0.figure(.accuracy) }))
    // Of independent means: √(Σ e²) / 5.
    let squares = results.tasks.map { pow($0.figure(.accuracy)?.error ?? .nan, 2) }
    #expect(abs(try #require(figures[0].error) - squares.reduce(0, +).squareRoot() / 5) < 1e-15)
    // A share is rounded up, as `math.ceil` does.
    #expect(results.tasks.allSatisfy { $0.outcomes.count == 5 })
    let tenth = HarnessOptions(limit: 0.1)
    let piqa = try HarnessSelection(["piqa"])
    let one = try HarnessEvaluation.measure(
      &scorer, piqa, [try HarnessQuestions(piqa.tasks[0], data, tenth)], tenth)
    #expect(one.tasks[0].outcomes.count == 1 && one.tasks[0].figures[0].error == nil)
    #expect(one.tasks[0].available == 9)
  }

  /// `results[…]["acc_bytes,none"]` of the harness with acc_bytes in `metric_list`.
  @Test func accuracyByByteIsThatOfTheHarness() throws {
    let bytes = try GzipFile.read(
      HarnessGoldenTests.folder + "/expected.json.gz", limit: .questions)
    let document = try bytes.withUnsafeBytes { try JSONReader.read($0, path: "expected.json") }
    let data = try HarnessData(HarnessGoldenTests.folder, isAlone: false, environment: [:])
    for (task, figures) in try #require(document["acc_bytes"]?.object) {
      var scorer = HashScorer()
      let selection = try HarnessSelection([task])
      let results = try HarnessEvaluation.measure(
        &scorer, selection, [try HarnessQuestions(selection.tasks[0], data, HarnessOptions())])
      let figure = try #require(results.tasks[0].byteAccuracy)
      #expect(figure.value == figures["acc_bytes"]?.double, "\(task)")
      #expect(figure.error == figures["acc_bytes_stderr"]?.double, "\(task)")
    }
  }
}
