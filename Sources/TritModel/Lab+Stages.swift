import TritAttention
public import TritCore
import TritKernels
import TritQuantization
import TritSampling

extension Lab {
  /// Every stage that an engine can have, in the order in which a token meets them, as they run on
  /// this machine. It is the one list of kinds: a further kind of stage is a line here, and the
  /// module that defines it.
  public static let stages: Lab = {
    var lab = Lab()
    lab.place(Registry<any WeightQuantizer>.standard)
    lab.place(Registry<any ActivationQuantizer>.standard)
    lab.place(Registry<any Packing>.standard)
    lab.place(Registry<any LinearKernel>.standard)
    lab.place(Registry<any Attention>.standard)
    lab.place(Registry<any KVCacheKind>.standard)
    lab.place(Registry<any OutputHead>.standard)
    lab.place(Registry<any LogitsProcessor>.standard)
    lab.place(Registry<any Sampler>.standard)
    return lab
  }()

  /// Choices in the order in which a token meets their stages; stages that the lab does not ship
  /// come last, by name.
  package static func inOrder(_ choices: [StageKey: StageChoice]) -> [(
    key: StageKey, choice: StageChoice
  )] {
    func rank(_ key: StageKey) -> Int { places[key] ?? places.count }
    return choices.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
      .map { (key: $0.key, choice: $0.value) }
  }

  private static let places = Dictionary(
    uniqueKeysWithValues: stages.kinds.enumerated().map { ($0.element.key, $0.offset) })
}
