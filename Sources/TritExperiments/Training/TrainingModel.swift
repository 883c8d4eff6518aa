internal import TritCore
internal import TritFormats
internal import TritModel
internal import TritTraining

/// The model of a training file: a family and sizes, a `config.json`, or a checkpoint to train on.
struct TrainingModel {
  /// The model; its vocabulary is not known before the tokenizer is, but for a checkpoint's.
  let shape: ModelShape
  /// The folder of the checkpoint that the training begins with.
  let checkpoint: String?
  /// Tokens of a sequence where the file says nothing.
  let length: Int

  /// A model that stands for one that could not be read, while the rest of a file is.
  static let smallest = try? ModelShape(
    ModelSizes(
      family: "llama", hidden: 2, feedForward: 1, layers: 1, heads: 1, vocabulary: 1, context: 1))

  private static let sizes = [
    "hidden", "feed-forward", "layers", "heads", "key-value-heads", "head-dimension", "context",
    "norm-epsilon", "rope-base", "tied",
  ]

  /// Decodes `model:`; nil where something is wrong, which is noted.
  init?(_ node: YAMLNode, files: TrainingPaths, _ problems: Problems) {
    let keys = ["family", "block", "config", "checkpoint"] + Self.sizes
    guard let fields = Fields(node, "model", keys: keys, problems) else { return nil }
    let config = fields["config"]
    let isWhole = fields["checkpoint"] != nil || config?.text != nil
    guard isWhole else {
      guard let shape = Self.new(fields, problems) else { return nil }
      (self.shape, checkpoint, length) = (shape, nil, shape.context)
      return
    }
    let key = fields["checkpoint"] == nil ? "config" : "checkpoint"
    for other in keys where other != key && fields[other] != nil {
      problems.add(
        "not together with model.\(key)", "model.\(other)",
        at: fields[other]?.position ?? node.position,
        expected: "model.\(key) alone, which says all of the model")
    }
    guard let text = fields.text(key), let node = fields[key] else { return nil }
    do {
      if key == "config" {
        (shape, checkpoint) = (try ModelShape(config: files.resolved(text)), nil)
      } else {
        let path = try ModelLocation.resolve(files.resolved(text))
        (shape, checkpoint) = (try ModelShape(Checkpoint(path: path)), path)
      }
    } catch let error as LabError {
      problems.add(
        error.what, "model.\(key)", at: node.position, expected: error.expected,
        got: [error.place, error.got].compactMap { $0 }.joined(separator: ": "),
        advice: error.advice, kind: error.kind)
      return nil
    } catch {
      problems.add("\(error)", "model.\(key)", at: node.position)
      return nil
    }
    // Contexts of published models are longer than what is trained on at one time.
    length = min(shape.context, 2048)
  }

  /// A model of a family and sizes.
  private static func new(_ fields: Fields, _ problems: Problems) -> ModelShape? {
    let needed = ["hidden", "feed-forward", "layers", "heads", "context"]
    for key in needed where fields[key] == nil {
      fields.missing(key, expected: "a whole number")
    }
    let family = family(fields, problems)
    let numbers = needed.map { fields.integer($0, 1...(1 << 20)) }
    let keyValueHeads = fields.integer("key-value-heads", 1...(1 << 10))
    let headDimension = fields.integer("head-dimension", 1...(1 << 12))
    let epsilon = fields.real("norm-epsilon", 0...1) ?? 1e-5
    let base = fields.real("rope-base", 1...1e12) ?? 10_000
    let tied = fields.flag("tied") ?? true
    var own: JSONValue = [:]
    if let config = fields["config"] {
      guard config.entries != nil else {
        problems.wrongType(
          config, "model.config", expected: "the path of a config.json, or a mapping of keys of one"
        )
        return nil
      }
      own = JSONValue(config)
    }
    guard let hidden = numbers[0], let wide = numbers[1], let layers = numbers[2],
      let heads = numbers[3], let context = numbers[4], let family
    else { return nil }
    let sizes = ModelSizes(
      family: family, hidden: hidden, feedForward: wide, layers: layers, heads: heads,
      keyValueHeads: keyValueHeads, headDimension: headDimension, vocabulary: 256,
      context: context, normEpsilon: Float(epsilon), ropeBase: base, tiesEmbeddings: tied, keys: own
    )
    let wrong = sizes.problems()
    for problem in wrong {
      let key = String(problem.key.prefix { $0 != "." })
      problems.add(
        "bad value", "model.\(problem.key)", at: (fields[key] ?? fields.node).position,
        expected: problem.expected, got: problem.got)
    }
    guard wrong.isEmpty else { return nil }
    do {
      return try ModelShape(sizes)
    } catch let error as LabError {
      problems.add(
        error.what, error.place ?? "model.config", at: (fields["config"] ?? fields.node).position,
        expected: error.expected, got: error.got, advice: error.advice)
    } catch {
      problems.add("\(error)", "model", at: fields.node.position)
    }
    return nil
  }

  /// The family; `block` is its older name. An option of the command replaces what the file says.
  private static func family(_ fields: Fields, _ problems: Problems) -> String? {
    let key = fields["family"] == nil ? "block" : "family"
    if key == "family", let block = fields["block"], let family = fields["family"],
      block.text != family.text
    {
      guard case .override = family.position else {
        problems.add(
          "not together with model.family", "model.block", at: block.position,
          expected: "model.family alone", got: block.text)
        return nil
      }
    }
    guard fields[key] != nil else { return "bitnet" }
    return fields.word(key, ModelSizes.families)
  }
}

extension JSONValue {
  /// The same document as JSON.
  init(_ node: YAMLNode) {
    if let entries = node.entries {
      self = .object(entries.map { (key: $0.key, value: JSONValue($0.value)) })
    } else if let elements = node.elements {
      self = .array(elements.map { JSONValue($0) })
    } else {
      self =
        switch node.scalar {
        case .null?, nil: .null
        case .bool(let value)?: .bool(value)
        case .integer(let value)?: JSONValue(value)
        case .real(let value)?: JSONValue(value)
        case .string(let text)?: .string(text)
        }
    }
  }
}
