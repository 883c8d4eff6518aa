public import TritCore

/// One choice for every stage of an engine: what a variant of an experiment resolves to.
///
/// A stage left nil is "as the model says": a ternary checkpoint keeps its trits, BitNet masters are
/// quantized by absmean, dense checkpoints stay dense; activations are int8 where the model was trained
/// so. Files and flags write `model` for that.
public struct StageSelection: Sendable, Hashable {
  /// Weight quantizer; nil is as the checkpoint says.
  public var quantizer: StageChoice?
  /// Activation quantizer; nil is as the checkpoint says.
  public var activations: StageChoice?
  /// Linear kernel (a packing's name alone picks its fastest kernel here).
  public var kernel: StageChoice
  /// Attention.
  public var attention: StageChoice
  /// KV cache.
  public var cache: StageChoice
  /// Output head.
  public var head: StageChoice
  /// Overrides for single layers, later ones win.
  public var layers: [LayerOverride]

  /// The exact defaults: the fastest lossless kernel, flash attention, f32 cache, a head in the
  /// narrowest format that loses nothing. An f16 cache alone moves int8 roundings enough to quadruple
  /// the distance to PyTorch on small models.
  public init(
    quantizer: StageChoice? = nil, activations: StageChoice? = nil,
    kernel: StageChoice = StageChoice("auto"), attention: StageChoice = StageChoice("flash"),
    cache: StageChoice = StageChoice("f32"), head: StageChoice = StageChoice("exact"),
    layers: [LayerOverride] = []
  ) {
    self.quantizer = quantizer
    self.activations = activations
    self.kernel = kernel
    self.attention = attention
    self.cache = cache
    self.head = head
    self.layers = layers
  }

  /// The fp32 reference: the same function with float32 weights through OpenBLAS and no activation
  /// quantization, f32 cache and head. A ternary checkpoint is dequantized; BitNet masters go through
  /// absmean first, since the network that was trained is the one with ternary weights: its masters
  /// alone are a network that nobody trained.
  public static let reference = StageSelection(
    quantizer: nil, activations: StageChoice("none"), kernel: StageChoice("openblas"),
    attention: StageChoice("naive"), cache: StageChoice("f32"),
    head: StageChoice("f32"))
}

/// Other choices for the linear layers whose name matches a glob.
public struct LayerOverride: Sendable, Hashable {
  /// Glob over `blk.N.attn_q`, `blk.N.ffn_down`…; `*` any run, `?` one character; `blk.-1.*` counts
  /// layers from the end.
  public var pattern: String
  /// Weight quantizer for them, if overridden; `model` is as the checkpoint says.
  public var quantizer: StageChoice?
  /// Activation quantizer for them, if overridden; `model` is as the checkpoint says.
  public var activations: StageChoice?
  /// Kernel for them, if overridden.
  public var kernel: StageChoice?

  /// Overrides what is given for layers that match `pattern`.
  public init(
    pattern: String, quantizer: StageChoice? = nil, activations: StageChoice? = nil,
    kernel: StageChoice? = nil
  ) {
    self.pattern = pattern
    self.quantizer = quantizer
    self.activations = activations
    self.kernel = kernel
  }
}
