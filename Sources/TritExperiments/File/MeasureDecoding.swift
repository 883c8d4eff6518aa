internal import TritCore
internal import TritEvaluation

extension ExperimentDecoder {
  static let measureKeys = [
    "generate", "perplexity", "divergence", "tasks", "weights", "speed", "energy", "roofline",
  ]
  static let generateKeys = ["prompts", "tokens", "sampler", "seed", "stop"]
  static let perplexityKeys = ["data", "field", "context", "protocol", "stride", "chunks"]
  static let divergenceKeys = ["data", "field", "context", "chunks"]
  static let tasksKeys = ["data", "limit", "split"]
  static let taskSplits = TaskSplit.allCases.map(\.rawValue)
  static let taskRange = 1...1_000_000
  static let speedKeys = ["prompt", "tokens", "repetitions", "roofs"]
  /// The protocols of perplexity; the first is the default.
  static let protocols = ["llama.cpp", "strided", "contiguous"]
  static let tokenRange = 1...1_048_576

  /// The `measure` section.
  func measurements(_ node: YAMLNode, seed: UInt64) -> Measurements {
    var result = Measurements()
    guard let fields = Fields(node, "measure", keys: Self.measureKeys, problems) else {
      return result
    }
    if let section = section(fields, "generate", Self.generateKeys) {
      result.generate = generate(section, seed: seed)
    }
    if let section = section(fields, "perplexity", Self.perplexityKeys) {
      result.perplexity = perplexity(section)
    }
    if let section = section(fields, "divergence", Self.divergenceKeys) {
      result.divergence = divergence(section, perplexity: result.perplexity)
    }
    if let section = section(fields, "tasks", Self.tasksKeys) { result.tasks = tasks(section) }
    if section(fields, "weights", []) != nil { result.weights = WeightsMeasure() }
    if let section = section(fields, "speed", Self.speedKeys) {
      result.speed = SpeedMeasure(
        prompt: section.integer("prompt", Self.tokenRange) ?? 128,
        tokens: section.integer("tokens", Self.tokenRange) ?? 64,
        repetitions: section.integer("repetitions", 1...1000) ?? 5,
        roofs: section.flag("roofs") ?? false)
    }
    if let section = section(fields, "energy", Self.energyKeys) { result.energy = energy(section) }
    if let section = section(fields, "roofline", Self.rooflineKeys) {
      result.roofline = roofline(section)
    }
    if result.sections.isEmpty, problems.list.isEmpty {
      problems.add(
        "measures nothing", "measure", at: node.position,
        expected: "one of: \(Self.measureKeys.joined(separator: ", "))")
    }
    return result
  }

  /// A section as its fields; `true` and nothing are `{}`, `false` turns it off.
  private func section(_ fields: Fields, _ key: String, _ keys: [String]) -> Fields? {
    guard let node = fields[key] else { return nil }
    if case .bool(let isOn)? = node.scalar {
      guard isOn else { return nil }
      let empty = YAMLNode(.mapping([]), at: node.position)
      return Fields(empty, fields.keyPath(key), keys: keys, problems)
    }
    return Fields(
      node, fields.keyPath(key), keys: keys,
      expected: keys.isEmpty
        ? "{}" : "a mapping with keys of: \(keys.joined(separator: ", ")); or true, false",
      nullIsEmpty: true, problems)
  }

  private func generate(_ fields: Fields, seed: UInt64) -> GenerateMeasure {
    var prompts: [String] = []
    let example = "[Once upon a time, {text: The cat}]"
    if let node = fields["prompts"] {
      if let list = node.elements, !list.isEmpty {
        for (index, item) in list.enumerated() {
          if let prompt = prompt(item, "\(fields.keyPath("prompts"))[\(index)]") {
            prompts.append(prompt)
          }
        }
      } else {
        problems.wrongType(
          node, fields.keyPath("prompts"), expected: "a list of prompts: \(example)")
      }
    } else {
      fields.missing("prompts", expected: "a list of prompts: \(example)")
    }
    let sampler = fields["sampler"].flatMap { stages.sampler($0, fields.keyPath("sampler")) }
    return GenerateMeasure(
      prompts: prompts, tokens: fields.integer("tokens", Self.tokenRange) ?? 64,
      sampler: sampler ?? .greedy,
      seed: fields.integer("seed", 0...(1 << 53)).map { UInt64($0) } ?? seed,
      stopsAtEnd: fields.flag("stop") ?? true)
  }

  private func prompt(_ node: YAMLNode, _ path: String) -> String? {
    var text: String?
    if node.entries != nil {
      guard let fields = Fields(node, path, keys: ["text"], problems) else { return nil }
      guard fields["text"] != nil else {
        fields.missing("text", expected: "the prompt")
        return nil
      }
      text = fields.text("text")
    } else {
      text = problems.text(node, path, expected: "a prompt: text, or {text: …}")
    }
    if let text, text.allSatisfy(\.isWhitespace) {
      problems.add("the prompt is empty", path, at: node.position, expected: "some text")
      return nil
    }
    return text
  }

  private func perplexity(_ fields: Fields) -> PerplexityMeasure? {
    let name = fields.word("protocol", Self.protocols) ?? Self.protocols[0]
    let context = fields.integer(
      "context", name == Self.protocols[0] ? Self.windowRange : Self.contextRange)
    let stride = fields.integer("stride", 1...Self.contextRange.upperBound)
    if let node = fields["stride"] {
      if name != "strided" {
        problems.add(
          "only the protocol 'strided' has a stride", fields.keyPath("stride"), at: node.position,
          got: "protocol \(name)", advice: "drop it, or set protocol: strided")
      } else if let stride, let context, stride > context {
        problems.add(
          "bad value", fields.keyPath("stride"), at: node.position,
          expected: "at most the context, \(context)", got: "\(stride)")
      }
    }
    guard let node = fields["data"] else {
      fields.missing(
        "data", expected: "a text file, a folder, or the name of a data set",
        advice: "as in data: data/little-stories.txt, or wikitext-2-raw/test")
      return nil
    }
    guard let data = pathReference(node, fields.keyPath("data")) else { return nil }
    return PerplexityMeasure(
      data: data, field: fields.text("field"), context: context, protocolName: name,
      stride: stride, chunks: fields.integer("chunks", 1...Self.contextRange.upperBound))
  }

  /// The lab's own questions where none are named.
  private func tasks(_ fields: Fields) -> TasksMeasure? {
    let standard = PathReference(
      text: TaskDataset.builtinName, path: TaskDataset.builtinName)
    let data = fields["data"].map { pathReference($0, fields.keyPath("data")) } ?? standard
    let limit = fields.integer("limit", Self.taskRange)
    let split = fields.word("split", Self.taskSplits).flatMap { TaskSplit(rawValue: $0) }
    return data.map { TasksMeasure(data: $0, limit: limit, split: split ?? .common) }
  }

  private func divergence(_ fields: Fields, perplexity: PerplexityMeasure?) -> DivergenceMeasure? {
    let written = fields["data"].flatMap { pathReference($0, fields.keyPath("data")) }
    guard let data = written ?? perplexity?.data else {
      if fields["data"] == nil {
        fields.missing(
          "data", expected: "a text here, or in measure.perplexity.data, which is then used")
      }
      return nil
    }
    return DivergenceMeasure(
      data: data,
      field: fields.text("field") ?? (written == nil ? perplexity?.field : nil),
      context: fields.integer("context", Self.windowRange) ?? perplexity?.context,
      chunks: fields.integer("chunks", 1...Self.contextRange.upperBound) ?? perplexity?.chunks)
  }
}
