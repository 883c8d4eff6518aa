import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit tasks`: the harness's tasks on a model, its table and its results document.
@Suite struct TasksCommandTests {
  private let folder: TemporaryFolder
  private let sets: String

  init() throws {
    folder = try TemporaryFolder("tasks")
    sets = folder.file("sets")
    for (place, lines) in [
      (
        "piqa/validation",
        [
          #"{"goal": "Once", "sol1": "upon", "sol2": "a time", "label": 1}"#,
          #"{"goal": "The end é", "sol1": "a dog", "sol2": "b", "label": 0}"#,
        ]
      ),
      (
        "piqa/train",
        (0..<5).map { #"{"goal": "Goal \#($0)", "sol1": "one", "sol2": "two", "label": 0}"# }
      ),
      (
        "winogrande/validation",
        [#"{"sentence": "The dog saw _ run.", "option1": "Tom", "option2": "Ann", "answer": "2"}"#]
      ),
      ("lambada_openai/test", [#"{"text": "Once upon a time"}"#, #"{"text": "word"}"#]),
      ("wikitext/test", [#"{"page": " = Dog = \n The dog ran . \n"}"#]),
    ] {
      let path = sets + "/" + place
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path + ".jsonl"))
    }
  }

  private func run(
    _ words: String, environment: [String: String] = [:]
  ) throws -> CommandResult {
    try CommandRunner.run(
      ["tasks", "-m", "builtin:tiny", "-t", "1"] + words.split(separator: " ").map(String.init),
      environment: environment, folder: folder.file("."))
  }

  @Test func theTableIsThatOfTheHarness() throws {
    let result = try run(
      "--tasks piqa,lambada_openai,wikitext,winogrande --num-fewshot 0 --data sets")
    #expect(result.status == 0, "\(result)")
    let lines = result.out.split(separator: "\n").map(String.init)
    let cells = lines.map {
      $0.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    #expect(
      cells[0] == [
        "", "Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr", "",
      ])
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(
      cells.dropFirst(2).map { $0[1] } == [
        "lambada_openai", "", "piqa", "", "wikitext", "", "", "winogrande",
      ])
    #expect(
      cells.dropFirst(2).map { $0[5] } == [
        "acc", "perplexity", "acc", "acc_norm", "bits_per_byte", "byte_perplexity",
        "word_perplexity", "acc",
      ])
    // One question has no error.
    #expect(cells.last?[9] == "N/A")
    #expect(result.out.allSatisfy { $0 != "\u{1B}" })
  }

  @Test func theDocumentIsWrittenOrPrinted() throws {
    let document = try run(
      "--tasks piqa --data sets --fewshot 2 --limit 1 -o lm-eval --log-samples")
    #expect(document.status == 0, "\(document)")
    let value = try JSONReader.read(document.out)
    #expect(value["n-shot"]?["piqa"]?.integer == 2)
    #expect(value["n-samples"]?["piqa"]?["original"]?.integer == 2)
    #expect(value["n-samples"]?["piqa"]?["effective"]?.integer == 1)
    #expect(value["results"]?["piqa"]?["acc_stderr,none"]?.string == "N/A")
    #expect(value["samples"]?["piqa"]?.array?.first?["filtered_resps"]?.array?.count == 2)
    let file = try run("--tasks piqa --data sets -o lm-eval out.json")
    #expect(file.status == 0 && file.out.contains("|piqa"), "\(file)")
    #expect(try JSONReader.readFile(folder.file("out.json"))["results"]?["piqa"] != nil)
    let placed = try run("--tasks piqa --data sets -o lm-eval results")
    #expect(placed.status == 0, "\(placed)")
    // As the harness: a folder for the model, a file for the time.
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.file("results/builtin__tiny"))
    #expect(
      names.count == 1
        && names[0].wholeMatch(of: /results_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}\.json/) != nil)
  }

  @Test func dataMayBeNamedByTheEnvironment() throws {
    let result = try run("--tasks piqa", environment: ["TRITLAB_DATA": sets])
    #expect(result.status == 0, "\(result)")
    let missing = try run("--tasks boolq", environment: ["TRITLAB_DATA": sets])
    #expect(
      missing.status == 66 && missing.err.contains("aps/super_glue boolq validation"), "\(missing)")
  }

  @Test func whatCannotBeIsToldBeforeAModelIsOpened() throws {
    for (words, status, text) in [
      ("--tasks piqqa --data sets", 64, "piqa"), ("--data sets", 64, "--tasks"),
      ("--tasks piqa --data sets out.json", 64, "-o lm-eval"),
      ("--tasks piqa --data sets --limit 1.5", 64, "--limit"),
      ("--tasks piqa --data sets --limit 0", 64, "--limit"),
      ("--tasks piqa --data sets -c 1", 64, "-c"),
      ("--tasks piqa --data sets --num-fewshot 5", 65, "6 records or more"),
      ("--tasks piqa --data sets/piqa/train.jsonl --num-fewshot 1", 64, "--fewshot-data"),
      ("--tasks piqa,boolq --data sets/piqa/train.jsonl", 64, "several tasks"),
      ("--tasks piqa", 66, "TRITLAB_DATA"), ("--tasks piqa --data nowhere", 66, "nowhere"),
      ("--tasks wikitext --data sets/piqa/train.jsonl", 65, "'page' is missing"),
    ] as [(String, Int32, String)] {
      let result = try run(words)
      #expect(result.status == status && result.err.contains(text), "\(words)\n\(result)")
    }
  }

  @Test func experimentsHaveTheSameFigures() throws {
    try folder.write(
      """
      name: study
      model: builtin:tiny
      reference: none
      threads: 1
      measure: {tasks: {tasks: [piqa, winogrande], data: sets}}
      """, to: "study.yaml")
    let result = try CommandRunner.run(
      ["run", "study.yaml", "--quiet"], folder: folder.file("."))
    #expect(result.status == 0, "\(result)")
    let record = try JSONReader.read(
      try String(
        contentsOfFile: folder.file(
          result.out.trimmingCharacters(in: .newlines) + "/results.jsonl"),
        encoding: .utf8
      ).split(separator: "\n").map(String.init).last ?? "")
    let metrics = try #require(record["metrics"])
    let table = try JSONReader.read(
      try run("--tasks piqa,winogrande --data sets -o lm-eval").out)
    for (task, metric) in [("piqa", "acc"), ("piqa", "acc_norm"), ("winogrande", "acc")] {
      #expect(
        metrics["tasks.\(task).\(metric)"]?.double
          == table["results"]?[task]?["\(metric),none"]?.double, "\(task) \(metric)")
    }
    #expect(metrics["tasks.count"]?.integer == 3 || metrics["tasks.count"]?.double == 3)
    let wrong = try CommandRunner.run(
      ["run", "study.yaml", "--list", "--set", "measure.tasks.tasks=[piqqa]"],
      folder: folder.file("."))
    #expect(wrong.status == 65 && wrong.err.contains("piqqa"), "\(wrong)")
  }
}
