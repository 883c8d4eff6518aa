internal import Foundation
public import TritCore
internal import TritQuantization
internal import TritStories
public import TritTraining

/// A training file: what `trit train` reads.
public struct TrainingFile: Sendable {
  /// Where a training's text comes from.
  public struct Data: Sendable, Hashable {
    /// Texts to train on: `builtin:storyteller/train`, files, folders, `file.jsonl:field`.
    public var train: [String]
    /// Held-out texts; empty for the last twentieth of the tokens.
    public var valid: [String]
    /// Tokens to train on at most.
    public var tokens: Int
    /// Held-out tokens at most.
    public var validTokens: Int
  }

  /// Where the tokenizer comes from.
  public enum TokenizerSource: Sendable, Hashable {
    /// A `tokenizer.json`, or a folder with one.
    case file(String)
    /// Trained on the first `bytes` bytes of the training text.
    case trained(vocabulary: Int, bytes: Int)
  }

  /// Settings; the vocabulary of the shape is not known before the tokenizer is.
  public var settings: TrainingSettings
  /// The text.
  public var data: Data
  /// The tokenizer.
  public var tokenizer: TokenizerSource
  /// The folder of the model, as written; relative to the working folder.
  public var output: String
  /// Threads; nil for all cores.
  public var threads: Int?

  /// Reads and checks a training file, overrides (`key.path=value`) applied first. Throws
  /// `LabErrors` with everything that is wrong.
  public static func read(
    path: String, overrides: [String] = [], lab: Lab = .standard
  ) throws -> TrainingFile {
    var document = try YAMLReader.read(path: path)
    let problems = Problems()
    var bad: [LabError] = []
    for text in overrides {
      do {
        try Override(text, lab: lab).apply(to: &document)
      } catch let error as LabError {
        bad.append(error)
      }
    }
    let decoder = TrainingDecoder(
      files: TrainingPaths(folder: (path as NSString).deletingLastPathComponent),
      stages: StageDecoding(lab: lab, problems: problems),
      problems: problems)
    let file = decoder.file(document)
    let all = bad + problems.list
    guard all.isEmpty, let file else { throw LabErrors(all, omitted: problems.omitted) }
    return file
  }
}

/// Decodes the document of a training strictly; what is wrong goes to `problems`.
struct TrainingDecoder {
  /// Where paths written in the file lead.
  let files: TrainingPaths
  let stages: StageDecoding
  let problems: Problems

  static let keys = [
    "name", "description", "output", "data", "tokenizer", "model", "quantization", "optimisation",
    "validation", "checkpoint", "seed", "threads",
  ]

  func file(_ document: YAMLNode) -> TrainingFile? {
    guard
      let fields = Fields(
        document, "", keys: Self.keys, expected: "a mapping with 'name', 'data', 'model'…", problems
      )
    else { return nil }
    let name = fields.text("name") ?? ""
    _ = fields.text("description")
    let model = fields["model"].flatMap { TrainingModel($0, files: files, problems) }
    // A checkpoint has a tokenizer, most of them in the form that a model is trained with.
    let isOptional =
      fields["model"]?.entries?.contains { $0.key == "checkpoint" } ?? false
    if fields["tokenizer"] == nil, let folder = model?.checkpoint,
      !FileManager.default.fileExists(atPath: folder + "/tokenizer.json")
    {
      fields.missing(
        "tokenizer",
        expected: "the path of a tokenizer.json, since the checkpoint has none: \(folder)")
    }
    for key in ["name", "data", "tokenizer", "model", "optimisation"]
    where fields[key] == nil && !(key == "tokenizer" && isOptional) {
      fields.missing(key, expected: Self.expected[key] ?? "a value")
    }
    guard let shape = model?.shape ?? TrainingModel.smallest else { return nil }
    var settings = TrainingSettings(
      name: name, shape: shape,
      schedule: LearningRateSchedule(steps: 1, warmup: 0, peak: 1e-3), sequences: 1, length: 1)
    settings.checkpoint = model?.checkpoint
    if let node = fields["quantization"] { quantization(node, into: &settings) }
    if let node = fields["optimisation"] {
      let length = model?.length ?? fields["model"].flatMap { Self.context($0) }
      optimisation(
        node, context: model?.shape.context ?? length, length: length, into: &settings)
    }
    if let node = fields["validation"],
      let inner = Fields(node, "validation", keys: ["every", "sequences"], problems)
    {
      settings.validationInterval = inner.integer("every", 0...Self.most) ?? 100
      settings.validationSequences = inner.integer("sequences", 1...Self.most) ?? 64
    }
    if let node = fields["checkpoint"],
      let inner = Fields(node, "checkpoint", keys: ["every"], problems)
    {
      settings.checkpointInterval = inner.integer("every", 1...Self.most) ?? 100
    }
    settings.seed = UInt64(fields.integer("seed", 0...(1 << 53)) ?? 1)
    let data = fields["data"].flatMap { self.data($0) }
    let tokenizer =
      fields["tokenizer"].flatMap { self.tokenizer($0) } ?? model?.checkpoint.map { .file($0) }
    guard let data, let tokenizer else { return nil }
    return TrainingFile(
      settings: settings, data: data, tokenizer: tokenizer,
      output: fields.text("output") ?? "models/" + name.slug,
      threads: fields.integer("threads", ExperimentDecoder.threadRange))
  }

  /// More of anything than a training has.
  static let most = 1 << 40
  private static let expected = [
    "name": "a short name", "data": "{train: builtin:storyteller/train, tokens: 20000000}",
    "tokenizer": "{vocabulary: 2048}, or the path of a tokenizer.json",
    "model": "{family: bitnet, hidden: 256, feed-forward: 768, layers: 6, heads: 8, context: 256}",
    "optimisation": "{steps: 2000, batch: 16, rate: 0.0015}",
  ]

  /// The context that is written for a model with which something else is wrong.
  private static func context(_ model: YAMLNode) -> Int? {
    let value = model.entries?.first { $0.key == "context" }?.value
    if case .integer(let context)? = value?.scalar, context > 0 { return context }
    return nil
  }

  private func quantization(_ node: YAMLNode, into settings: inout TrainingSettings) {
    if case .string("none")? = node.scalar {
      settings.quantizer = StageChoice("none")
      settings.activations = StageChoice("none")
      return
    }
    guard
      let fields = Fields(
        node, "quantization", keys: ["quantizer", "activations"],
        expected: "none, or {quantizer: absmean, activations: int8}", problems)
    else { return }
    for (key, stage) in [
      ("quantizer", StageKey.quantizer), ("activations", .activations),
    ] {
      guard let value = fields[key] else { continue }
      let path = fields.keyPath(key)
      guard let choice = stages.choice(value, path, stage) else { continue }
      if choice.name == "model" {
        problems.add(
          "there is no model to ask", path, at: value.position, expected: "a quantizer's name")
      }
      if stage == .quantizer { settings.quantizer = choice } else { settings.activations = choice }
    }
  }

  private func optimisation(
    _ node: YAMLNode, context: Int?, length fallback: Int?,
    into settings: inout TrainingSettings
  ) {
    let keys = [
      "steps", "batch", "accumulation", "length", "rate", "warmup", "schedule", "final",
      "weight-decay", "second-stage", "clip", "beta1", "beta2", "deviation",
    ]
    guard let fields = Fields(node, "optimisation", keys: keys, problems) else { return }
    for key in ["steps", "batch", "rate"] where fields[key] == nil {
      fields.missing(key, expected: "a number")
    }
    let steps = fields.integer("steps", 1...1_000_000_000) ?? 1
    settings.sequences = fields.integer("batch", 1...65_536) ?? 1
    settings.accumulation = fields.integer("accumulation", 1...65_536) ?? 1
    let length = fields.integer("length", 1...max(context ?? 1 << 16, 1))
    settings.length = length ?? fallback ?? 1
    let word = fields.word("schedule", LearningRateSchedule.Shape.allCases.map(\.rawValue))
    settings.schedule = LearningRateSchedule(
      steps: steps, warmup: fields.integer("warmup", 0...steps) ?? min(100, steps / 10),
      peak: fields.real("rate", 0...10) ?? 1e-3,
      shape: word.flatMap(LearningRateSchedule.Shape.init(rawValue:)) ?? .cosine,
      final: fields.real("final", 0...1) ?? 0,
      weightDecay: fields.real("weight-decay", 0...10) ?? 0.1)
    if let value = fields["second-stage"],
      let inner = Fields(value, "optimisation.second-stage", keys: ["start", "rate"], problems)
    {
      if inner["rate"] == nil { inner.missing("rate", expected: "a learning rate") }
      settings.schedule.second = LearningRateSchedule.SecondStage(
        start: inner.real("start", 0...1) ?? 0.5, peak: inner.real("rate", 0...10) ?? 0)
    }
    if let clip = fields["clip"] {
      settings.clip = clip.isNull ? nil : fields.real("clip", 1e-9...1e9)
    }
    settings.beta1 = fields.real("beta1", 0...0.9999) ?? 0.9
    settings.beta2 = fields.real("beta2", 0...0.999999) ?? 0.95
    settings.deviation = fields.real("deviation", 0...1) ?? 0.02
    let words = Double(settings.sequences) * Double(settings.length)
    if words > 0x1p24 {
      problems.add(
        "the batch is too large", "optimisation.batch", at: (fields["batch"] ?? node).position,
        expected: "at most 16777216 tokens", got: "\(settings.sequences) × \(settings.length)",
        advice: "use accumulation")
    }
  }

  private func data(_ node: YAMLNode) -> TrainingFile.Data? {
    guard
      let fields = Fields(
        node, "data", keys: ["train", "valid", "tokens", "valid-tokens"], problems)
    else { return nil }
    guard let train = fields["train"] else {
      fields.missing("train", expected: "builtin:storyteller/train, or a text file")
      return nil
    }
    return TrainingFile.Data(
      train: sources(train, "data.train"),
      valid: fields["valid"].map { sources($0, "data.valid") } ?? [],
      tokens: fields.integer("tokens", 256...(1 << 31)) ?? 20_000_000,
      validTokens: fields.integer("valid-tokens", 256...(1 << 31)) ?? 200_000)
  }

  /// One source or a list of them; paths are relative to the file.
  private func sources(_ node: YAMLNode, _ path: String) -> [String] {
    let nodes = node.elements ?? [node]
    if nodes.isEmpty {
      problems.add("the list is empty", path, at: node.position, expected: "a text or more")
    }
    return nodes.compactMap { item in
      guard let text = problems.text(item, path, expected: "a text's name or path") else {
        return nil
      }
      if text.hasPrefix("builtin:"), StoryDataset(named: text) == nil {
        let known = StoryDataset.Split.allCases.map { StoryDataset($0).name }
        problems.add(
          "unknown data set '\(text)'", path, at: item.position,
          expected: "one of: \(known.joined(separator: ", "))",
          advice: Suggestion.didYouMean(text, known))
      }
      return files.resolved(text)
    }
  }

  private func tokenizer(_ node: YAMLNode) -> TrainingFile.TokenizerSource? {
    if case .scalar = node.content {
      return problems.text(node, "tokenizer", expected: "a path, or {vocabulary: n}").map {
        .file(files.resolved($0))
      }
    }
    guard let fields = Fields(node, "tokenizer", keys: ["vocabulary", "bytes"], problems) else {
      return nil
    }
    if fields["vocabulary"] == nil {
      fields.missing("vocabulary", expected: "a whole number, 257…65536")
    }
    guard let size = fields.integer("vocabulary", 257...65_536) else { return nil }
    return .trained(
      vocabulary: size, bytes: fields.integer("bytes", 1...(1 << 32)) ?? 8_000_000)
  }
}

/// Where the paths of a training file lead.
struct TrainingPaths {
  /// The folder of the file.
  let folder: String

  /// A path beside the file where there is such a file, else the name as it is.
  func resolved(_ text: String) -> String {
    let isName = ["/", "builtin:", "hf:"].contains { text.hasPrefix($0) }
    guard !isName, !folder.isEmpty else { return text }
    let bare = text.split(separator: ":").first.map(String.init) ?? text
    return FileManager.default.fileExists(atPath: folder + "/" + bare) ? folder + "/" + text : text
  }
}

extension Fields {
  /// A number in `range`.
  func real(_ key: String, _ range: ClosedRange<Double>) -> Double? {
    self[key].flatMap { problems.real($0, keyPath(key), range) }
  }
}
