internal import TritCore
internal import TritModel

/// What the registries know, by the keys of experiment files: names, descriptors and the words that are
/// legal beside them.
struct StageNames: Sendable {
  private let descriptors: [StageKey: [StageDescriptor]]
  private let words: [StageKey: [String]]
  let processors: [StageDescriptor]
  let samplers: [StageDescriptor]

  init(_ registries: StageRegistries) {
    descriptors = [
      .quantizer: registries.quantizers.descriptors,
      .activations: registries.activations.descriptors,
      .kernel: registries.kernels.descriptors,
      .attention: registries.attention.descriptors,
      .cache: registries.caches.descriptors,
      .head: registries.heads.descriptors,
    ]
    // `model` leaves the choice to the checkpoint. Every other name is one that its registry makes.
    words = [.quantizer: ["model"], .activations: ["model"]]
    processors = registries.processors.descriptors
    samplers = registries.samplers.descriptors
  }

  /// The registered implementations of a stage.
  func descriptors(_ key: StageKey) -> [StageDescriptor] { descriptors[key] ?? [] }

  /// Names that are legal beside the registered ones, without parameters.
  func words(_ key: StageKey) -> [String] {
    (words[key] ?? []).filter { descriptors(key).named($0) == nil }
  }

  /// Every legal name of a stage.
  func names(_ key: StageKey) -> [String] { words(key) + descriptors(key).map(\.name) }
}

extension [StageDescriptor] {
  /// The one that is called `name`, or has it as an alias.
  func named(_ name: String) -> StageDescriptor? {
    first { $0.name == name || $0.aliases.contains(name) }
  }
}
