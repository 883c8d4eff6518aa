public import TritCore
public import TritFormats
internal import TritModel

/// An experiment as its file says it, decoded and checked: what `ExperimentPlan` expands.
public struct ExperimentFile: Sendable {
  /// The name; run directories are called after it.
  public var name: String
  /// What is asked, in a sentence or two; printed in reports.
  public var description: String?
  /// The model of every variant that names none itself.
  public var model: PathReference?
  /// A tokenizer in place of those of the models.
  public var tokenizer: PathReference?
  /// What variants are compared with; nil where the file says `none`.
  public var reference: VariantSettings?
  /// The variant that differences are to, by its label; nil is the reference, without one the first
  /// variant.
  public var baseline: String?
  /// The smallest differences that matter, by quantity, in its unit: what the run must be able to
  /// see.
  public var detect: [String: Double]
  /// The choices that all variants start from.
  public var base: VariantSettings
  /// The axes, in the order of the file.
  public var sweep: [SweepAxis]
  /// Which points of the grid that the axes span are run.
  public var design: SweepDesign
  /// Named variants, in the order of the file.
  public var variants: [NamedVariant]
  /// What is measured on each of them.
  public var measure: Measurements
  /// Records of an earlier run to report and draw, in place of variants to measure.
  public var records: PathReference?
  /// The plots to draw.
  public var plots: [PlannedPlot]
  /// Threads of every variant that says nothing else; nil is the machine's number of cores.
  public var threads: Int?
  /// The seed of everything random that has no seed of its own.
  public var seed: UInt64
  /// Positions of the KV cache; nil is what the model was trained for.
  public var context: Int?
  /// Files that stages, measures and figures come from, beside those of the program.
  public var plugins: [PathReference]
  /// What the file was decoded with: the program's lab and what its plug-ins added.
  public var lab: Lab
  /// The file as the user named it.
  public var path: String
  /// The document, overrides applied: what the run directory keeps.
  public var document: YAMLNode
}

/// A path or a name in a file, and the path it stands for.
public struct PathReference: Sendable, Hashable {
  /// As written.
  public var text: String
  /// The path: relative to the experiment file where it was written there, else to the working
  /// directory; `builtin:` and `hf:` names stay as they are.
  public var path: String

  /// Whether this names something other than a path.
  public var isName: Bool { text.hasPrefix("builtin:") || text.hasPrefix("hf:") }

  /// Pairs a text with its path.
  public init(text: String, path: String) {
    self.text = text
    self.path = path
  }
}

/// How the next token is drawn: processors in the order in which they run, then the sampler.
public struct SamplerSettings: Sendable, Hashable, CustomStringConvertible {
  /// Logits processors, in order.
  public var processors: [StageChoice]
  /// What draws the token.
  public var sampler: StageChoice

  /// Always the likeliest token.
  public static let greedy = SamplerSettings(processors: [], sampler: StageChoice("greedy"))

  /// A chain.
  public init(processors: [StageChoice], sampler: StageChoice) {
    self.processors = processors
    self.sampler = sampler
  }

  /// `temperature 0.8, top-p 0.95`, or `greedy`.
  public var description: String {
    var parts = processors.map { choice in
      choice.parameters.count == 1
        ? "\(choice.name) \(choice.parameters.values.map(\.description).joined())"
        : choice.description
    }
    if parts.isEmpty || sampler != StageChoice("multinomial") {
      parts.append(sampler.description)
    }
    return parts.joined(separator: ", ")
  }
}

/// The choices that a variant makes; what is nil or absent comes from further out (the base, the
/// defaults of the engine).
public struct VariantSettings: Sendable {
  /// Another model than the experiment's.
  public var model: PathReference?
  /// How the codes of its I2_S tensors lie; nil is as bitnet.cpp's converters write them.
  public var i2sLayout: I2SLayout?
  /// Choices by stage; the name `model` means "as the checkpoint says".
  public var stages: [StageKey: StageChoice] = [:]
  /// How tokens are drawn in `generate`.
  public var sampler: SamplerSettings?
  /// Threads.
  public var threads: Int?
  /// The seed of everything random that has none of its own; nil is the experiment's.
  public var seed: UInt64?
  /// The seed of the training of its model, where that is a training file; nil is the file's.
  public var trainingSeed: UInt64?
  /// Overrides by layer, later ones win.
  public var layers: [LayerSettings] = []
  /// Where each of these was written, by key.
  public var positions: [String: SourcePosition] = [:]

  /// Nothing chosen.
  public init() {}

  /// These choices with those of `other` over them; layer overrides add up.
  public func overridden(by other: VariantSettings) -> VariantSettings {
    var result = self
    result.model = other.model ?? model
    result.i2sLayout = other.i2sLayout ?? i2sLayout
    result.stages.merge(other.stages) { $1 }
    result.sampler = other.sampler ?? sampler
    result.threads = other.threads ?? threads
    result.seed = other.seed ?? seed
    result.trainingSeed = other.trainingSeed ?? trainingSeed
    result.layers += other.layers
    result.positions.merge(other.positions) { $1 }
    return result
  }

  /// Every choice as key and value, in a fixed order: what identity, labels and records are made
  /// of.
  public var flattened: [(key: String, value: String)] {
    var list: [(String, String)] = []
    if let model { list.append(("model", model.text)) }
    if let i2sLayout { list.append(("i2s-layout", i2sLayout.rawValue)) }
    for (key, choice) in Lab.inOrder(stages) { list.append((key.rawValue, choice.description)) }
    if let sampler { list.append(("sampler", sampler.description)) }
    if let threads { list.append(("threads", "\(threads)")) }
    if let seed { list.append(("seed", "\(seed)")) }
    if let trainingSeed { list.append(("training-seed", "\(trainingSeed)")) }
    for layer in layers {
      for (key, choice) in Lab.inOrder(layer.stages) {
        list.append(("layers.\(layer.pattern).\(key.rawValue)", choice.description))
      }
    }
    return list
  }
}

/// Other choices for the layers whose names match a glob.
public struct LayerSettings: Sendable, Hashable {
  /// Glob over `blk.N.attn_q`, `blk.N.ffn_down`…; `blk.-1.*` is the last layer.
  public var pattern: String
  /// Choices by stage, of those that are chosen layer by layer (`StageScope.layer`).
  public var stages: [StageKey: StageChoice]
}

/// One axis of a sweep: a key and the values it takes.
public struct SweepAxis: Sendable {
  /// The key that varies: a stage, `sampler`, `threads`, `seed`, `training-seed`, `model`,
  /// `i2s-layout` or `layers`.
  public var key: String
  /// One setting for each value, in the order of the file.
  public var values: [VariantSettings]
}

/// A variant with a name.
public struct NamedVariant: Sendable {
  /// The name, unique in the file.
  public var name: String
  /// What it changes of the base.
  public var settings: VariantSettings
  /// What others have published of it: then its model may be absent.
  public var published: [PublishedFigure] = []
  /// Where it was written.
  public var position: SourcePosition
}
