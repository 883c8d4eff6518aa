public import TritCore
public import TritKernels
public import TritQuantization

/// What one linear layer becomes under a `StageSelection`.
public struct ResolvedLinear: Sendable {
  /// `blk.N.attn_q`…
  public let name: String
  /// The weights as the checkpoint holds them.
  public let source: SourceLinear
  /// The weights as the kernel gets them.
  public let weights: QuantizedWeights
  /// The same in the bytes of the packing that was chosen, for kernels that adopt them; nil where
  /// none was.
  public let packed: PackedMatrix?
  /// Where `weights` come from, in words: `trits of the checkpoint`, `absmean of the masters`…
  public let provenance: String
  /// What quantizes the layer's input.
  public let activations: any ActivationQuantizer
  /// The choice that made `activations`: layers with equal choices share the quantized input.
  public let activationChoice: StageChoice
  /// The kernel that was chosen.
  public let kernel: any LinearKernel
  /// The choice that made `kernel`: `auto`, a packing or a kernel.
  public let kernelChoice: StageChoice
  /// How it will run, and what it can leave out: what its kernel is prepared under.
  public let conditions: AutoKernel.Conditions

  /// The layer ready to run: over the bytes of the packing where the kernel adopts them, else laid
  /// out by the kernel. Throws what the kernel says of the weights or the activations.
  package func prepared() throws -> any PreparedLinear {
    if let packed, let layer = kernel.adopted(packed, for: activations.form) { return layer }
    return try kernel.prepare(weights, for: activations.form, under: conditions)
  }
}

/// Resolves the choices of a `StageSelection` for every layer of a checkpoint, one layer at a time,
/// so that a model is never in memory twice.
public struct LayerResolver: Sendable {
  /// The model on disk.
  public let checkpoint: Checkpoint
  /// One choice for every stage.
  public let selection: StageSelection
  /// Where names are looked up.
  public let lab: Lab
  /// How the layers will run: what `auto` measures under.
  package var conditions = AutoKernel.Conditions()
  private let overrides: [(glob: Glob, value: LayerOverride)]

  /// Checks that every override matches a layer. Throws a usage error that names the one that does
  /// not.
  public init(
    checkpoint: Checkpoint, selection: StageSelection, lab: Lab = .stages
  ) throws {
    self.checkpoint = checkpoint
    self.selection = selection.completed(by: lab)
    self.lab = lab
    let layers = checkpoint.configuration.layers
    let names = (0..<layers).flatMap { layer in
      LinearRole.allCases.map { Self.name($0, layer: layer) }
    }
    overrides = try selection.layers.map { value in
      let glob = Glob(value.pattern, layers: layers)
      guard names.contains(where: glob.matches) else {
        throw LabError(
          .usage, "no layer matches the pattern", at: "layers: \(value.pattern)",
          expected: "a glob over blk.0.attn_q … blk.\(layers - 1).ffn_down", got: value.pattern)
      }
      return (glob, value)
    }
  }

  /// The display name of a layer.
  public static func name(_ role: LinearRole, layer: Int) -> String {
    "blk.\(layer).\(role.rawValue)"
  }

  /// Reads, quantizes and pairs one layer with its kernel and activation quantizer.
  public func resolve(_ role: LinearRole, layer: Int) throws -> ResolvedLinear {
    let name = Self.name(role, layer: layer)
    let source = try checkpoint.linear(role, layer: layer)
    let choices = choices(role, layer: layer)
    do {
      var (weights, provenance) = try quantized(
        source.weights, by: choices.quantizer,
        isUnconverted: checkpoint.isUnconverted(role, layer: layer))
      let packed = try choices.packing.map { try packing(&weights, &provenance, by: $0) }
      let activationChoice =
        choices.activations
        ?? defaultActivations(
          for: weights.kind, isStored: source.weights.kind == .ternary && choices.quantizer == nil)
      return ResolvedLinear(
        name: name, source: source, weights: weights, packed: packed, provenance: provenance,
        activations: try lab[.activations].make(activationChoice),
        activationChoice: activationChoice, kernel: try lab[.kernel].make(choices.kernel),
        kernelChoice: choices.kernel, conditions: conditions(role))
    } catch let error as LabError {
      throw error.inside(name)
    }
  }

  /// The choices that hold for a layer.
  package func choices(_ role: LinearRole, layer: Int) -> LayerChoices {
    let name = Self.name(role, layer: layer)
    return LayerChoices(
      selection, under: overrides.lazy.filter { $0.glob.matches(name) }.map(\.value))
  }

  /// Whether an override names another quantizer for the layer.
  func isOverridden(_ role: LinearRole, layer: Int) -> Bool {
    let name = Self.name(role, layer: layer)
    return overrides.contains {
      $0.value.quantizer.map { $0 != .asTheModelSays } ?? false && $0.glob.matches(name)
    }
  }

  /// Behind ReLU² down meets zeros, and up is wanted only where the gate is above 0.
  private func conditions(_ role: LinearRole) -> AutoKernel.Conditions {
    var conditions = conditions
    if checkpoint.configuration.activation == .relu2 {
      conditions.sparsity = role == .down ? .inputs : role == .up ? .outputs : .none
    }
    return conditions
  }

  private func quantized(
    _ weights: QuantizedWeights, by choice: StageChoice?, isUnconverted: Bool
  ) throws -> (
    QuantizedWeights, String
  ) {
    if let choice {
      let quantizer = try lab[.quantizer].make(choice)
      let origin =
        switch weights {
        case .ternary: "dequantized trits"
        case .dense, .integer:
          checkpoint.configuration.quantization?.isOnline == true ? "the masters" : "the weights"
        }
      try MemoryLimit.require(
        Size.product(5, weights.rows, weights.columns),
        for: "quantizing \(weights.rows) × \(weights.columns) weights",
        advice: "leave the model's own quantizer: --quantizer model")
      let values = weights.dequantized()
      // A view does not keep its matrix alive.
      let result = try withExtendedLifetime(values) { try quantizer.quantize(values.view) }
      return (result, "\(choice) of \(origin)")
    }
    // Masters alone are ternarised: a dense layer beside trits was trained dense.
    guard case .dense(let matrix) = weights, !isUnconverted,
      checkpoint.configuration.quantization?.isOnline == true
    else {
      if case .ternary = weights { return (weights, "trits of the checkpoint") }
      return (weights, "weights of the checkpoint")
    }
    let choice = checkpoint.configuration.quantization?.quantizer ?? StageChoice("absmean")
    return (try lab[.quantizer].make(choice).quantize(matrix.view), "\(choice) of the masters")
  }

  /// Sends `weights` through a packing, and gives its bytes. What comes out has the packing's form:
  /// trits are integers after `int8`, and scales are as it stores them. Throws what `Packing.pack`
  /// throws.
  private func packing(
    _ weights: inout QuantizedWeights, _ provenance: inout String, by choice: StageChoice
  ) throws -> PackedMatrix {
    let packing = try lab[.packing].make(choice)
    let packed = try packing.pack(weights)
    weights = try packing.unpack(packed).collapsed
    provenance += ", packed by \(choice)"
    return packed.collapsed
  }

  /// int8 where the model was trained so and the layer is quantized, float32 for dense layers.
  /// Trits that are stored in a checkpoint that says nothing of activations were trained with float
  /// ones; what a quantizer of the lab makes runs with int8 as the BitNet layers do.
  func defaultActivations(for weights: QuantizedWeights.Kind, isStored: Bool) -> StageChoice {
    if weights == .dense { return StageChoice("none") }
    if let own = checkpoint.configuration.quantization?.activations { return own }
    let trained = checkpoint.configuration.quantization?.quantizesActivations ?? !isStored
    return StageChoice(trained ? "int8" : "none")
  }
}
