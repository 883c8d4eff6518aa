public import TritAttention
public import TritCore
public import TritKernels
public import TritQuantization
public import TritSampling

/// The registries of all stages: a plain value, made once by `standard`, extended by whoever adds a
/// stage, and passed to engines and experiments.
public struct StageRegistries: Sendable {
  /// Weight quantizers.
  public var quantizers: Registry<any WeightQuantizer>
  /// Activation quantizers.
  public var activations: Registry<any ActivationQuantizer>
  /// Packings.
  public var packings: Registry<any Packing>
  /// Linear kernels.
  public var kernels: Registry<any LinearKernel>
  /// Attention.
  public var attention: Registry<any Attention>
  /// KV caches.
  public var caches: Registry<any KVCacheKind>
  /// Output heads.
  public var heads: Registry<any OutputHead>
  /// Logits processors.
  public var processors: Registry<any LogitsProcessor>
  /// Samplers.
  public var samplers: Registry<any Sampler>

  /// Everything that the lab ships, as it runs on this machine.
  public static let standard = StageRegistries(
    quantizers: .standard, activations: .standard, packings: .standard, kernels: .standard,
    attention: .standard, caches: .standard, heads: .standard, processors: .standard,
    samplers: .standard)
}
