import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Every name that is offered somewhere exists and runs here, or says why this CPU cannot: in
/// README's table, in lists, schema and error messages, in experiment files and in the examples of
/// help texts, documents and comments.
@Suite struct OfferedNameTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private static let lab = Lab.standard

  private static func text(_ path: String) throws -> String {
    try String(contentsOfFile: root + "/" + path, encoding: .utf8)
  }

  /// Text files below `folder` that end in one of `ends`, by path.
  private static func files(_ folder: String, _ ends: [String]) -> [String] {
    let all = FileManager.default.enumerator(atPath: root + "/" + folder)
    return (all?.compactMap { $0 as? String } ?? [])
      .filter { name in ends.contains { name.hasSuffix($0) } }.map { folder + "/" + $0 }.sorted()
  }

  /// A tiny model that is made once, and what an engine says of a selection.
  private final class TinyLab: Sendable {
    let folder: TemporaryFolder
    let checkpoint: Checkpoint
    static let shared = try? TinyLab()

    init() throws {
      folder = try TemporaryFolder("offered")
      checkpoint = try Checkpoint(path: TinyCheckpoint.write(.llamaDense, in: folder))
    }

    /// Builds an engine and runs two tokens; throws what it says.
    func run(_ selection: StageSelection, _ options: GenerationOptions? = nil) throws {
      let engine = try Engine(
        checkpoint: checkpoint, selection: selection,
        options: EngineOptions(threads: 1, maxContext: 8))
      _ = try engine.generate(
        prompt: [5, 6],
        options: options ?? GenerationOptions(sampling: .greedy, maxTokens: 2, ignoresEnd: true))
    }
  }

  /// Runs one choice of one stage on the tiny model. nil where it runs, or where its descriptor
  /// says why it cannot here; else the complaint.
  private static func complaint(_ key: String, _ text: String) -> String? {
    do {
      let choice = try StageChoice(parsing: text)
      let tiny = try #require(TinyLab.shared)
      func unavailable<Product: Sendable>(_ registry: Registry<Product>) throws -> Bool {
        guard let reason = try registry.validate(choice).unavailable else { return false }
        return !reason.isEmpty
      }
      switch key {
      case "quantizer":
        if choice.name == "model" { return nil }
        try tiny.run(StageSelection(quantizer: choice))
      case "activations":
        if choice.name == "model" { return nil }
        try tiny.run(StageSelection(quantizer: StageChoice("absmean"), activations: choice))
      case "kernel":
        if try unavailable(lab[.kernel]) { return nil }
        let isFloat = try lab[.kernel].make(choice).accepts == .float32
        try tiny.run(
          StageSelection(
            quantizer: StageChoice("absmean"),
            activations: StageChoice(isFloat ? "none" : "int8"), kernel: choice))
      case "packing":
        if choice.name == "model" { return nil }
        _ = try lab[.packing].make(choice)
      case "attention": try tiny.run(StageSelection(attention: choice))
      case "cache": try tiny.run(StageSelection(cache: choice))
      case "head": try tiny.run(StageSelection(head: choice))
      case "processor", "sampler":
        try tiny.run(
          StageSelection(), GenerationOptions(stages: [choice], maxTokens: 2, ignoresEnd: true))
      case "measure", "figure": try lab.attempt(StageKey(rawValue: key), choice)
      default: return "no stage is called '\(key)'"
      }
      return nil
    } catch {
      return "\(key) '\(text)': \(error)"
    }
  }

  /// Containers that run in the panels of `i2_s`: no kernel multiplies their bytes.
  private static let repacked: Set = ["q2_0", "pq2_0", "ptq1_0"]

  /// README's table: each row's words in backticks are names of its stages.
  @Test func namesOfReadmesTableRun() throws {
    let rows: [(start: String, keys: [String])] = [
      ("| weight quantizer |", ["quantizer"]), ("| activation quantizer |", ["activations"]),
      ("| packing |", ["packing", "kernel"]), ("| linear kernel |", ["kernel"]),
      ("| attention, KV cache |", ["attention", "cache"]), ("| output head |", ["head"]),
    ]
    let lines = try Self.text("README.md").split(separator: "\n").map(String.init)
    for (start, keys) in rows {
      let row = try #require(lines.first { $0.hasPrefix(start) }, "\(start)")
      let names = row.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 1 }.map { String($0.element) }
      #expect(names.count > 3, "\(row)")
      for name in names {
        let complaints = keys.map { Self.complaint($0, name) }
        // A row of two stages names each one's; a packing is also the name of its kernels.
        let isFine =
          start.contains("packing") && !Self.repacked.contains(name)
          ? complaints.allSatisfy { $0 == nil } : complaints.contains { $0 == nil }
        #expect(isFine, "\(complaints.compactMap(\.self))")
      }
    }
  }

  /// All that `trit list` shows runs, or says why not; a bare name of a kernel for each packing.
  @Test func namesOfTheListRun() throws {
    let result = try CommandRunner.run(["list", "--json"])
    let stages = try #require(JSONReader.read(result.out).array)
    #expect(stages.count == Lab.standard.kinds.count)
    for stage in stages {
      let key = try #require(stage["key"]?.string)
      for entry in try #require(stage["implementations"]?.array) {
        let names =
          [entry["name"]?.string].compactMap(\.self)
          + (entry["aliases"]?.array?.compactMap(\.string) ?? [])
        for name in names {
          if entry["available"] == .bool(false) {
            #expect(entry["unavailable_because"]?.string?.isEmpty == false, "\(name)")
            continue
          }
          #expect(Self.complaint(key, name) == nil)
        }
      }
    }
    for packing in Self.lab[.packing].names where !Self.repacked.contains(packing) {
      #expect(Self.lab[.kernel].descriptor(packing) != nil, "\(packing)")
    }
  }

  /// The names that an unknown one is answered with, by the command and by an experiment file.
  @Test(arguments: ["quantizer", "activations", "kernel", "attention", "cache", "head", "sampler"])
  func namesOfErrorMessagesRun(key: String) throws {
    let folder = try TemporaryFolder("error")
    try folder.write(
      "name: t\nmeasure: {generate: {prompts: [a]}}\nbase: {\(key): nonesuch}\n", to: "x.yaml")
    var outputs = [try CommandRunner.run(["run", folder.file("x.yaml"), "--list"]).err]
    if key != "sampler" {
      outputs.append(
        try CommandRunner.run(
          ["generate", "-m", "builtin:tiny", "-p", "a", "--\(key)", "nonesuch"]
        ).err)
    }
    for output in outputs {
      let line = try #require(
        output.split(separator: "\n").first { $0.contains("expected:") }, "\(output)")
      let list = line.replacing("expected:", with: "").replacing("one of:", with: "")
        .split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.contains("…") && !$0.contains("{") }
      #expect(list.count > 1, "\(output)")
      for name in list {
        #expect(Self.complaint(key, name) == nil)
      }
    }
  }

  /// The schema offers what the decoder takes: every constant and every word of a choice.
  @Test func namesOfTheSchemaRun() throws {
    let schema = try JSONReader.read(ExperimentSchema.json())
    let definitions = try #require(schema["$defs"])
    for key in ["quantizer", "activations", "kernel", "attention", "cache", "head", "sampler"] {
      let forms = try #require(definitions[key]?["anyOf"]?.array)
      var names: [String] = []
      for form in forms {
        names += form["const"]?.string.map { [$0] } ?? []
        names += form["enum"]?.array?.compactMap(\.string) ?? []
      }
      #expect(names.count > 1, "\(key)")
      for name in names { #expect(Self.complaint(key, name) == nil) }
    }
  }

  /// Choices of experiment files: every sweep and variant of the lab's own files is taken apart and
  /// run.
  @Test func namesOfExperimentFilesRun() throws {
    let files = Self.files("experiments", [".yaml"]).filter { !$0.contains("/train/") }
    #expect(files.count > 8)
    for path in files {
      let file = try ExperimentFile.read(path: Self.root + "/" + path)
      let settings =
        [file.base] + file.sweep.flatMap(\.values) + file.variants.map(\.settings)
        + (file.reference.map { [$0] } ?? [])
      for one in settings {
        for (key, choice) in one.stages {
          #expect(Self.complaint(key.rawValue, choice.description) == nil, "\(path)")
        }
        for choice in (one.sampler?.processors ?? []) {
          #expect(Self.complaint("processor", choice.description) == nil, "\(path)")
        }
      }
    }
  }

  /// `name:key=value` in a document, a help text or a comment is a choice that some stage takes.
  @Test func examplesWithParametersAreLegal() throws {
    let places =
      ["README.md", "CONTRIBUTING.md"] + Self.files("Sources", [".swift"])
      + Self.files("experiments", [".yaml"]) + Self.files("Tests/CommandTests/Snapshots", [".txt"])
    let form =
      /([a-z][a-z0-9_.-]*):([a-z][a-z-]*=[\w.-]*\w(?:,[a-z][a-z-]*=[\w.-]*\w)*)/
    let keys = [
      "quantizer", "activations", "kernel", "attention", "cache", "head", "processor", "sampler",
    ]
    let known = Dictionary(
      uniqueKeysWithValues: Lab.stages.kinds.map { entry in
        (entry.key.rawValue, Set(entry.descriptors.flatMap { [$0.name] + $0.aliases }))
      })
    var count = 0
    for place in places {
      for match in try Self.text(place).matches(of: form) {
        let (name, example) = (String(match.1), String(match.0))
        // Placeholders stand for any choice.
        if example.contains("key=value") || ["name", "glob"].contains(name) { continue }
        let stages = keys.filter { known[$0]?.contains(name) == true }
        guard !stages.isEmpty else { continue }
        count += 1
        let complaints = stages.map { key -> String? in
          do {
            try Self.validate(key, StageChoice(parsing: example))
            return nil
          } catch { return "\(error)" }
        }
        #expect(complaints.contains { $0 == nil }, "\(place): \(example): \(complaints)")
      }
    }
    #expect(count > 10)
  }

  private static func validate(_ key: String, _ choice: StageChoice) throws {
    switch key {
    case "quantizer": try lab[.quantizer].validate(choice)
    case "activations": try lab[.activations].validate(choice)
    case "kernel": try lab[.kernel].validate(choice)
    case "attention": try lab[.attention].validate(choice)
    case "cache": try lab[.cache].validate(choice)
    case "head": try lab[.head].validate(choice)
    case "processor": try lab[.processor].validate(choice)
    default: try lab[.sampler].validate(choice)
    }
  }

  // MARK: The chain of the command

  @Test func samplersFlagRunsTheChainThatItNames() throws {
    let model = ["generate", "-m", "builtin:tiny", "-p", "Once", "-n", "12", "--no-display-prompt"]
    let greedy = try CommandRunner.run(model + ["--temp", "0"])
    #expect(greedy.status == 0 && !greedy.out.isEmpty)
    #expect(try CommandRunner.run(model + ["--samplers", "greedy"]).out == greedy.out)
    #expect(
      try CommandRunner.run(model + ["--samplers", "top-k:k=1; temperature:value=2"]).out
        == greedy.out)
    // The same chain, written both ways.
    let options = ["--top-k", "5", "--top-p", "1", "--min-p", "0", "--temp", "0.7", "--seed", "4"]
    let chain = try CommandRunner.run(
      model + ["--samplers", "top-k:k=5;temperature:value=0.7;multinomial", "--seed", "4"])
    let flags = try CommandRunner.run(model + options)
    #expect(chain.status == 0 && chain.out == flags.out, "\(chain) \(flags)")
  }

  @Test func samplersFlagSaysWhatIsWrong() throws {
    func run(_ extra: [String]) throws -> CommandResult {
      try CommandRunner.run(["generate", "-m", "nowhere.gguf", "-p", "a"] + extra)
    }
    let unknown = try run(["--samplers", "topk;greedy"])
    #expect(unknown.status == 64 && unknown.err.contains("did you mean 'top-k'"), "\(unknown)")
    let order = try run(["--samplers", "greedy;top-k"])
    #expect(order.status == 64 && order.err.contains("not the last stage"), "\(order)")
    let both = try run(["--samplers", "greedy", "--top-k", "3"])
    #expect(both.status == 64 && both.err.contains("--top-k"), "\(both)")
    let empty = try run(["--samplers", "top-k;"])
    #expect(empty.status == 64 && empty.err.contains("is empty"), "\(empty)")
  }
}
