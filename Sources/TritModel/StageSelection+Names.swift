import TritAttention
public import TritCore
import TritKernels
import TritQuantization

// The stages that an engine has, by name: for programs that choose in code. Everything else goes by
// kind.
extension StageSelection {
  /// Weight quantizer; nil is as the checkpoint says.
  public var quantizer: StageChoice? {
    get { self[.quantizer] }
    set { self[.quantizer] = newValue }
  }

  /// Activation quantizer; nil is as the checkpoint says.
  public var activations: StageChoice? {
    get { self[.activations] }
    set { self[.activations] = newValue }
  }

  /// Packing that the quantized weights go through; nil leaves them as they are.
  public var packing: StageChoice? {
    get { self[.packing] }
    set { self[.packing] = newValue }
  }

  /// Linear kernel (a packing's name alone picks its fastest kernel here).
  public var kernel: StageChoice {
    get { chosen(.kernel) }
    set { self[.kernel] = newValue }
  }

  /// Attention.
  public var attention: StageChoice {
    get { chosen(.attention) }
    set { self[.attention] = newValue }
  }

  /// KV cache.
  public var cache: StageChoice {
    get { chosen(.cache) }
    set { self[.cache] = newValue }
  }

  /// Output head.
  public var head: StageChoice {
    get { chosen(.head) }
    set { self[.head] = newValue }
  }

  /// Chooses what is given; nil is the standard of the kind.
  public init(
    quantizer: StageChoice? = nil, activations: StageChoice? = nil, kernel: StageChoice? = nil,
    attention: StageChoice? = nil, cache: StageChoice? = nil, head: StageChoice? = nil,
    layers: [LayerOverride] = []
  ) {
    self.init()
    self[.quantizer] = quantizer
    self[.activations] = activations
    self[.kernel] = kernel
    self[.attention] = attention
    self[.cache] = cache
    self[.head] = head
    self.layers = layers
  }

  /// The fp32 reference: the same function with float32 weights through OpenBLAS and no activation
  /// quantization, f32 cache and head. A ternary checkpoint is dequantized; BitNet masters go
  /// through absmean first, since the network that was trained is the one with ternary weights: its
  /// masters alone are a network that nobody trained.
  public static let reference = StageSelection(
    activations: StageChoice("none"), kernel: StageChoice("openblas"),
    attention: StageChoice("naive"), cache: StageChoice("f32"), head: StageChoice("f32"))

  private func chosen<Product: Sendable>(_ kind: StageKind<Product>) -> StageChoice {
    guard let choice = self[kind] else {
      preconditionFailure("the stage '\(kind.key.rawValue)' has no standard")
    }
    return choice
  }
}

extension LayerOverride {
  /// Overrides what is given for layers that match `pattern`; `model` is as the checkpoint says.
  public init(
    pattern: String, quantizer: StageChoice? = nil, activations: StageChoice? = nil,
    kernel: StageChoice? = nil
  ) {
    var choices: [StageKey: StageChoice] = [:]
    choices[.quantizer] = quantizer
    choices[.activations] = activations
    choices[.kernel] = kernel
    self.init(pattern: pattern, choices: choices)
  }

  /// Weight quantizer for the layers, if overridden.
  public var quantizer: StageChoice? { choices[.quantizer] }
  /// Packing for the layers, if overridden.
  public var packing: StageChoice? { choices[.packing] }
  /// Activation quantizer for the layers, if overridden.
  public var activations: StageChoice? { choices[.activations] }
  /// Kernel for the layers, if overridden.
  public var kernel: StageChoice? { choices[.kernel] }
}
