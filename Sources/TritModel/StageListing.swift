public import TritCore

/// What the registries hold, stage by stage and without their types: for listings and documentation.
public enum StageListing {
  /// One stage.
  public struct Entry: Sendable {
    /// The key in files and flags.
    public let key: String
    /// The stage in words.
    public let stage: String
    /// Its implementations, reference first.
    public let descriptors: [StageDescriptor]

    init<Product: Sendable>(_ registry: Registry<Product>) {
      key = registry.key
      stage = registry.stage
      descriptors = registry.descriptors
    }
  }

  /// The stages of `registries`, in the order in which a token meets them.
  public static func entries(_ registries: StageRegistries) -> [Entry] {
    [
      Entry(registries.quantizers), Entry(registries.activations), Entry(registries.packings),
      Entry(registries.kernels), Entry(registries.attention), Entry(registries.caches),
      Entry(registries.heads), Entry(registries.processors), Entry(registries.samplers),
    ]
  }

  /// Everything that the lab ships.
  public static let standard = entries(.standard)
}
