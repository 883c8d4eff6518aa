package import TritCore

/// The choices that hold for one linear layer: those of the whole model, and over them every
/// override whose glob matches the layer's name, later ones last. The engine resolves its layers by
/// it, and so does whoever checks choices before there is an engine.
package struct LayerChoices: Hashable, Sendable {
  /// Weight quantizer; nil is as the checkpoint says.
  package var quantizer: StageChoice?
  /// Activation quantizer; nil is as the checkpoint says.
  package var activations: StageChoice?
  /// Packing that the quantized weights go through; nil leaves them as they are.
  package var packing: StageChoice?
  /// Kernel.
  package var kernel: StageChoice
  /// The pattern of the override that chose the kernel; nil where that is the model's.
  package var kernelPattern: String?

  /// The choices of `selection` under `overrides`, those of its layer overrides that match the
  /// layer, in order.
  package init(_ selection: StageSelection, under overrides: some Sequence<LayerOverride>) {
    quantizer = selection.quantizer
    activations = selection.activations
    packing = selection.packing
    kernel = selection.kernel
    for override in overrides {
      if let own = override.quantizer { quantizer = own == .asTheModelSays ? nil : own }
      if let own = override.activations { activations = own == .asTheModelSays ? nil : own }
      if let own = override.packing { packing = own == .asTheModelSays ? nil : own }
      if let own = override.kernel {
        kernel = own
        kernelPattern = override.pattern
      } else if override.quantizer != nil || override.activations != nil
        || override.packing != nil
      {
        // A kernel chosen for the other layers' form would be an illegal pair here.
        kernel = StageChoice("auto")
        kernelPattern = nil
      }
    }
  }
}

extension StageSelection {
  /// What layers run with whatever the number of layers a model has, each combination once.
  ///
  /// Which overrides meet on a layer can depend on that number (`blk.-1.*` and `blk.7.*`), so two
  /// models of different size are laid out, and what only one of them has is left to whoever knows
  /// the model.
  package func layerChoices() -> [LayerChoices] {
    guard !layers.isEmpty else { return [LayerChoices(self, under: [])] }
    // Larger than any layer that a pattern names, so that all of them can match.
    let named = layers.flatMap { $0.pattern.split { !$0.isNumber }.compactMap { Int($0) } }
    let most = min(named.max() ?? 0, 1 << 12)
    let (small, large) = (choices(ofLayers: most + 2), choices(ofLayers: most + 7))
    return small.filter(large.contains)
  }

  private func choices(ofLayers count: Int) -> [LayerChoices] {
    let globs = layers.map { (Glob($0.pattern, layers: count), $0) }
    var found: [LayerChoices] = []
    for layer in 0..<count {
      for role in LinearRole.allCases {
        let name = LayerResolver.name(role, layer: layer)
        let one = LayerChoices(
          self, under: globs.lazy.filter { $0.0.matches(name) }.map(\.1))
        if !found.contains(one) { found.append(one) }
      }
    }
    return found
  }
}
