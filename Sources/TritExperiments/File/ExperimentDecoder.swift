internal import Foundation
public import TritCore
internal import TritFormats
internal import TritModel

extension ExperimentFile {
  /// Reads and checks an experiment file, overrides applied first. Its plug-ins are loaded before
  /// anything else of it is read: it may name what they add.
  ///
  /// Throws `LabErrors` with everything that is wrong in the file: each problem with its place
  /// (`file:line:column` or `--set path`), its key path, what was expected and the nearest valid
  /// name.
  /// - Parameters:
  ///   - overrides: `key.path=value` each, later ones win.
  ///   - plugins: loads what `plugins:` names.
  public static func read(
    path: String, overrides: [String] = [], lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins
  ) throws -> ExperimentFile {
    try decode(
      YAMLReader.read(path: path), path: path, overrides: overrides, lab: lab, plugins: plugins)
  }

  /// Decodes `text`, an experiment that stands in the file at `path` from line `line` on, as in a
  /// notebook: places in messages are those of that file, and paths are relative to its folder.
  public static func read(
    text: String, path: String, line: Int = 1, overrides: [String] = [], lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins
  ) throws -> ExperimentFile {
    let above = String(repeating: "\n", count: max(line - 1, 0))
    return try decode(
      YAMLReader.read(above + text, name: path), path: path, overrides: overrides, lab: lab,
      plugins: plugins)
  }

  /// Checks a document that has been read from `path`.
  package static func decode(
    _ document: YAMLNode, path: String, overrides: [String], lab: Lab,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins
  ) throws -> ExperimentFile {
    let lab = try Self.lab(
      of: document, path: path, overrides: overrides, lab: lab, plugins: plugins)
    var document = document
    let problems = Problems()
    var bad: [LabError] = []
    for text in overrides {
      do {
        try Override(text, lab: lab).apply(to: &document)
      } catch let error as LabError {
        bad.append(error)
      }
    }
    let decoder = ExperimentDecoder(
      folder: (path as NSString).deletingLastPathComponent,
      stages: StageDecoding(lab: lab, problems: problems),
      problems: problems)
    let file = decoder.file(document, path: path)
    let all = bad + problems.list
    guard all.isEmpty, let file else { throw LabErrors(all, omitted: problems.omitted) }
    return file
  }
}

/// Decodes the document of an experiment strictly; what is wrong goes to `problems`.
package struct ExperimentDecoder {
  /// The folder of the file, for the paths written in it.
  let folder: String
  let stages: StageDecoding
  let problems: Problems

  package static let keys = [
    "name", "description", "plugins", "model", "tokenizer", "i2s-layout", "reference", "baseline",
    "detect",
    "base", "sweep", "design", "variants",
    "measure",
    "records", "plots", "threads", "seed", "context",
  ]
  /// What a variant can choose.
  var settingKeys: [String] { Self.settingKeys(of: stages.lab) }

  package static func settingKeys(of lab: Lab) -> [String] {
    let stages = lab.kinds(in: .layer, .model).map(\.key.rawValue)
    return ["model", "i2s-layout"] + stages + [
      "sampler", "threads", "seed", "training-seed", "layers",
    ]
  }
  /// More threads or positions than any machine or model of today has: a slip, not a wish.
  static let threadRange = 1...1024
  /// What a JSON number holds exactly.
  static let seedRange = 0...(1 << 53)
  /// More globs than the linear layers of any model.
  static let maximumLayers = 2_000
  static let contextRange = 2...16_777_216

  func file(_ document: YAMLNode, path: String) -> ExperimentFile? {
    guard
      let fields = Fields(
        document, "", keys: Self.keys,
        expected: "a mapping with 'name', 'measure' and what is to vary", problems)
    else { return nil }
    let name = fields.text("name")
    if fields["name"] == nil {
      fields.missing("name", expected: "a short name; run directories are called after it")
    }
    if let name, name.slug.isEmpty, let node = fields["name"] {
      problems.add(
        "bad value", "name", at: node.position, expected: "a name with letters or digits",
        got: "\"\(name)\"")
    }
    let seed = fields.integer("seed", Self.seedRange) ?? 1
    var base = fields["base"].map { settings($0, "base") } ?? VariantSettings()
    var reference = reference(fields)
    // That of all models, the reference's too, which a base does not change.
    if let layout = fields["i2s-layout"].flatMap({ i2sLayout($0, "i2s-layout") }) {
      base.i2sLayout = base.i2sLayout ?? layout
      if reference?.i2sLayout == nil { reference?.i2sLayout = layout }
    }
    let sweep = sweep(fields, seed: UInt64(seed))
    let measure = fields["measure"].map { measurements($0, seed: UInt64(seed)) } ?? Measurements()
    let records = fields["records"].flatMap { pathReference($0, "records") }
    if fields["records"] != nil {
      recordsStandAlone(fields)
    } else if fields["measure"] == nil {
      let keys = stages.lab.measures.map(\.key)
      fields.missing(
        "measure", expected: "a mapping with keys of: \(keys.joined(separator: ", "))")
    }
    for section in measure.sections
    where section.measure.needs.requiresReference && reference == nil {
      problems.add(
        "compares with the reference", "measure.\(section.key)", at: section.settings.position,
        expected: "a reference", got: "reference: none")
    }
    return ExperimentFile(
      name: name ?? "", description: fields.text("description"),
      model: fields["model"].flatMap { pathReference($0, "model") },
      tokenizer: fields["tokenizer"].flatMap { pathReference($0, "tokenizer") },
      reference: reference, baseline: fields.text("baseline"),
      detect: fields["detect"].map(detect) ?? [:],
      base: base, sweep: sweep.axes, design: sweep.design,
      variants: fields["variants"].map(variants) ?? [], measure: measure, records: records,
      plots: fields["plots"].map {
        plots($0, measure: records == nil ? measure : nil, hasReference: reference != nil)
      } ?? defaultPlots,
      threads: fields.integer("threads", Self.threadRange), seed: UInt64(seed),
      context: fields.integer("context", Self.contextRange),
      plugins: fields["plugins"].map { plugins($0).map(\.reference) } ?? [], lab: stages.lab,
      path: path, document: document)
  }

  /// What is recorded is not measured again: keys that say what to run have no meaning beside it.
  private func recordsStandAlone(_ fields: Fields) {
    for key in [
      "model", "tokenizer", "i2s-layout", "reference", "base", "sweep", "design", "variants",
      "measure",
      "context",
    ] {
      guard let node = fields[key] else { continue }
      problems.add(
        "does not go with 'records'", key, at: node.position,
        expected: "records of an earlier run, or what to measure",
        advice: "drop '\(key)', or drop 'records'")
    }
  }

  /// The smallest differences that matter, by quantity.
  private func detect(_ node: YAMLNode) -> [String: Double] {
    let keys = PairedQuantity.detectable(stages.lab).map(\.key)
    guard let fields = Fields(node, "detect", keys: keys, problems) else { return [:] }
    var amounts: [String: Double] = [:]
    for key in keys {
      guard let value = fields[key] else { continue }
      amounts[key] = problems.real(value, fields.keyPath(key), Self.detectRange)
    }
    return amounts
  }

  /// Percent, points or nats; nothing at all cannot be seen.
  static let detectRange = 1e-9...1e6

  /// A path or name; where it was written decides what it is relative to.
  func pathReference(_ node: YAMLNode, _ path: String) -> PathReference? {
    guard let text = problems.text(node, path, expected: "a path or a name") else { return nil }
    guard !text.isEmpty else {
      problems.add("is empty", path, at: node.position, expected: "a path or a name")
      return nil
    }
    var reference = PathReference(text: text, path: text)
    guard !reference.isName else { return reference }
    if text.hasPrefix("~/") {
      reference.path = NSString(string: text).expandingTildeInPath
    } else if !text.hasPrefix("/"), case .file = node.position, !folder.isEmpty {
      reference.path = folder + "/" + text
    }
    return reference
  }

  // MARK: Variants

  /// The choices of one variant.
  func settings(
    _ node: YAMLNode, _ path: String, besides extra: [String] = []
  ) -> VariantSettings {
    var result = VariantSettings()
    guard
      let fields = Fields(
        node, path, keys: extra + settingKeys, nullIsEmpty: extra.isEmpty, problems)
    else { return result }
    for key in settingKeys {
      guard let value = fields[key] else { continue }
      result.positions[key] = value.position
      set(key, value, fields.keyPath(key), in: &result)
    }
    return result
  }

  /// Reads the value of one key into `result`.
  func set(
    _ key: String, _ node: YAMLNode, _ path: String, in result: inout VariantSettings
  ) {
    switch key {
    case "model": result.model = pathReference(node, path)
    case "i2s-layout": result.i2sLayout = i2sLayout(node, path)
    case "sampler": result.sampler = stages.sampler(node, path)
    case "threads": result.threads = problems.integer(node, path, Self.threadRange)
    case "seed": result.seed = problems.integer(node, path, Self.seedRange).map { UInt64($0) }
    case "training-seed":
      result.trainingSeed = problems.integer(node, path, Self.seedRange).map { UInt64($0) }
    case "layers": result.layers = layers(node, path)
    default:
      let stage = StageKey(rawValue: key)
      result.stages[stage] = stages.choice(node, path, stage)
    }
  }

  private func i2sLayout(_ node: YAMLNode, _ path: String) -> I2SLayout? {
    problems.word(node, path, I2SLayout.allCases.map(\.rawValue)).flatMap(I2SLayout.init)
  }

  private func layers(_ node: YAMLNode, _ path: String) -> [LayerSettings] {
    guard let entries = node.entries else {
      problems.wrongType(
        node, path,
        expected: "a mapping from layer globs to choices: {\"blk.0.*\": {quantizer: none}}")
      return []
    }
    // Each glob is tried on each layer of the model.
    guard entries.count <= Self.maximumLayers else {
      problems.add(
        "too many globs", path, at: node.position, expected: "at most \(Self.maximumLayers)",
        got: "\(entries.count)", advice: "let a glob stand for several layers, as in blk.*.ffn_down"
      )
      return []
    }
    let keys = stages.lab.kinds(in: .layer).map(\.key)
    return entries.compactMap { entry in
      let inner = "\(path).\"\(entry.key)\""
      if !Glob.canMatch(entry.key) {
        problems.add(
          "no layer can match this glob", inner, at: entry.keyPosition,
          expected:
            "a glob over blk.N.\(LinearRole.allCases.map(\.rawValue).joined(separator: " | "))",
          got: entry.key, advice: "as in blk.0.*, blk.*.ffn_down, blk.-1.attn_q")
      }
      guard let fields = Fields(entry.value, inner, keys: keys.map(\.rawValue), problems) else {
        return nil
      }
      var layer = LayerSettings(pattern: entry.key, stages: [:])
      for key in keys {
        guard let value = fields[key.rawValue] else { continue }
        layer.stages[key] = stages.choice(value, fields.keyPath(key.rawValue), key)
      }
      return layer
    }
  }

  private func variants(_ node: YAMLNode) -> [NamedVariant] {
    guard let list = node.elements else {
      problems.wrongType(
        node, "variants", expected: "a list of variants: - {name: …, quantizer: …}")
      return []
    }
    var names: [String: SourcePosition] = [:]
    return list.enumerated().map { index, item in
      let path = "variants[\(index)]"
      let settings = settings(item, path, besides: ["name", "published"])
      var name = ""
      if let node = item["name"] {
        name = problems.text(node, "\(path).name") ?? ""
        if let earlier = names.updateValue(node.position, forKey: name), !name.isEmpty {
          problems.add(
            "the name '\(name)' stands twice", "\(path).name", at: node.position,
            expected: "a name for each variant", got: "the first is at \(earlier)")
        }
      } else if item.entries != nil {
        problems.add(
          "missing", "\(path).name", at: item.position, expected: "a name to show in tables")
      }
      return NamedVariant(
        name: name, settings: settings,
        published: item["published"].map { published($0, "\(path).published") } ?? [],
        position: item.position)
    }
  }

  /// The words for the reference; `openblas-f32` is `StageSelection.reference`.
  static let referenceWords = ["openblas-f32", "none"]

  private func reference(_ fields: Fields) -> VariantSettings? {
    let lab = stages.lab
    guard let node = fields["reference"] else { return .openblas(lab) }
    if case .scalar = node.content {
      let word = problems.word(node, "reference", Self.referenceWords)
      return word == "none" ? nil : .openblas(lab)
    }
    var reference = VariantSettings.openblas(lab).overridden(by: settings(node, "reference"))
    reference.sampler = nil
    return reference
  }
}

extension VariantSettings {
  /// The fp32 reference through OpenBLAS, as settings of the kinds of `lab`.
  static func openblas(_ lab: Lab) -> VariantSettings {
    let selection = StageSelection.reference
    var settings = VariantSettings()
    // All of them are written down, those too that are the standard: a base must not change the
    // reference.
    for kind in lab.kinds(in: .layer, .model) {
      settings.stages[kind.key] = selection.choice(kind) ?? .asTheModelSays
    }
    return settings
  }
}
