public import TritCore
public import TritKernels
import TritQuantization

/// Linear layers of one operation, ready to run.
struct Projection {
  /// The layers, in the order of their outputs.
  let roles: [LinearRole]
  /// Those that share a prepared and quantized input.
  let groups: [ProjectionGroup]
  /// up, where its kernel computes single rows, its input is that of gate, and the activation makes
  /// zeros.
  let selectiveUp: (any SelectiveLinear)?
}

/// The weights of one block, ready to run; what is done with them is in the plan.
struct Block {
  let norms: [NormRole: AlignedBuffer<Float>]
  let biases: [LinearRole: AlignedBuffer<Float>]
  /// One for each `project` of the plan, in its order.
  let projections: [Projection]
}

/// What one linear layer runs with, for listings and run records.
public struct LayerReport: Sendable {
  /// `blk.N.attn_q`…
  public let name: String
  /// Number of outputs.
  public let rows: Int
  /// Number of inputs.
  public let columns: Int
  /// `ternary weights (scale per tensor)`…
  public let form: String
  /// What a weight is to whoever counts arithmetic: float32 for the dense baseline, whatever it was
  /// made of.
  public let weights: QuantizedWeights.Kind
  /// How many weights share a scale; nil where there are no scales.
  public let granularity: ScaleGranularity?
  /// Where the weights come from.
  public let provenance: String
  /// The kernel that runs, after `auto` has picked.
  public let kernel: String
  /// The activation quantizer.
  public let activations: String
  /// The form in which it hands activations to the kernel: float32 for `none`, and for quantizers
  /// whose codes no kernel multiplies.
  public let activationForm: ActivationForm
  /// What the kernel's products are made of, and so which peak of the machine bounds them.
  public let arithmetic: ProductArithmetic
  /// Bytes of weights and scales that one multiply reads; the most, where it `skips` some.
  public let bytes: Int
  /// What a multiply leaves unread where it is zero or not wanted.
  public let skips: ExpectedSparsity
  /// Bytes in the plainest packing of the weights' form: 2 bits a trit (I2_S), 4 or 8 bits an
  /// integer, 32 a float, and 32 bits a scale. What `auto` picks is a matter of speed and changes
  /// from run to run; this does not.
  public let plainBytes: Int
  /// The kernel that was asked for: `auto`, a packing or a kernel.
  public let kernelChoice: String
  /// Whether `auto` picked the kernel, so that another run may run another.
  public let isPicked: Bool
  /// Whether every weight is zero, so that the layer gives nothing whatever comes in.
  public let isZero: Bool
  /// Whether a norm of its own is computed for its input: it is the first of the layers that share
  /// one.
  public internal(set) var computesNorm = false
}

extension QuantizedWeights {
  /// Bytes in the plainest packing (`LayerReport.plainBytes`).
  var plainBytes: Int {
    let count = rows * columns
    return switch self {
    case .dense: 4 * count
    case .ternary(let matrix): Self.plainBytes(trits: count, scales: matrix.scales.count)
    case .integer(let matrix):
      ((matrix.bits <= 4 ? 4 : 8) * count + 7) / 8 + 4 * matrix.scales.count
    }
  }

  /// The same of so many trits and scales.
  static func plainBytes(trits: Int, scales: Int) -> Int { (2 * trits + 7) / 8 + 4 * scales }
}

/// A linear layer that is ready to run.
struct BuiltLinear {
  let linear: any PreparedLinear
  var report: LayerReport
  /// What quantizes its input, and the choice that made it: layers with equal choices share the
  /// quantized input.
  let activations: any ActivationQuantizer
  let activationChoice: StageChoice
  /// Gains of the norm inside it, `[columns]`; nil where there is none.
  let innerNorm: [Float]?
  /// The rotation of its input, where its weights are rotated.
  let rotation: HadamardRotation?

  /// Whether the input of both is prepared and quantized in the same way.
  func sharesInput(with other: BuiltLinear) -> Bool {
    activationChoice == other.activationChoice && innerNorm == other.innerNorm
      && rotation == other.rotation
  }
}

/// Builds the blocks of an engine.
struct BlockBuilder {
  let resolver: LayerResolver
  /// Layers that need not be prepared.
  let image: LayerImage.Opened?
  private(set) var built: [BuiltLinear] = []

  init(resolver: LayerResolver, image: LayerImage.Opened?) {
    self.resolver = resolver
    self.image = image
  }

  /// All blocks, on the threads of `pool`. The first one alone: `auto` measures its kernels on a
  /// machine that does nothing else, and finds the shapes of the others known.
  static func build(
    resolver: LayerResolver, on pool: WorkerPool, image: LayerImage.Opened?
  ) throws -> (blocks: [Block], layers: [BuiltLinear]) {
    @Sendable func one(_ layer: Int) throws -> (block: Block, layers: [BuiltLinear]) {
      var builder = BlockBuilder(resolver: resolver, image: image)
      let block = try builder.build(layer: layer)
      return (block, builder.built)
    }
    let first = try one(0)
    let rest = try pool.map(count: resolver.checkpoint.configuration.layers - 1) {
      try one($0 + 1)
    }
    let all = [first] + rest
    return (all.map(\.block), all.flatMap(\.layers))
  }

  mutating func build(layer: Int) throws -> Block {
    let checkpoint = resolver.checkpoint
    let plan = checkpoint.plan
    var norms: [NormRole: AlignedBuffer<Float>] = [:]
    for role in plan.block.norms {
      norms[role] = try checkpoint.norm(role, layer: layer).map { AlignedBuffer($0) }
    }
    var biases: [LinearRole: AlignedBuffer<Float>] = [:]
    for role in plan.block.biases {
      biases[role] = AlignedBuffer(try checkpoint.bias(role, layer: layer))
    }
    var projections: [Projection] = []
    for case .project(let roles, _) in plan.block.operations {
      let groups = try groups(roles, layer: layer)
      // The epilogue of a bias would make the zeros something else.
      let isSelective =
        roles == [.gate, .up] && groups.count == 1 && groups[0].readsPlainInput
        && plan.configuration.activation == .relu2 && plan.block.biases.isDisjoint(with: roles)
      projections.append(
        Projection(
          roles: roles, groups: groups,
          selectiveUp: isSelective ? groups[0].layers[1].linear as? any SelectiveLinear : nil))
    }
    return Block(norms: norms, biases: biases, projections: projections)
  }

  private mutating func groups(_ roles: [LinearRole], layer: Int) throws -> [ProjectionGroup] {
    var layers: [BuiltLinear] = []
    for role in roles {
      try Interruption.check()
      if let kept = try image?.layer(role, layer, resolver) {
        layers.append(kept)
      } else {
        layers.append(try prepared(role, layer: layer))
        resolver.checkpoint.release(role, layer: layer)
      }
    }
    for (index, layer) in layers.enumerated() where layer.innerNorm != nil {
      layers[index].report.computesNorm = !layers[..<index].contains { $0.sharesInput(with: layer) }
    }
    built += layers
    let epsilon = resolver.checkpoint.configuration.quantization?.innerNormEpsilon ?? 0
    return ProjectionGroup.grouped(layers, epsilon: epsilon)
  }

  /// A layer over the bytes of the file, where its kernel multiplies such bytes; nil where it has
  /// to be prepared.
  private func adopted(_ role: LinearRole, layer: Int) throws -> BuiltLinear? {
    let checkpoint = resolver.checkpoint
    let choices = resolver.choices(role, layer: layer)
    let kernel = try resolver.lab[.kernel].make(choices.kernel)
    guard let name = checkpoint.packing(role, layer: layer),
      (kernel as? any AdoptingKernel)?.adopts == name,
      choices.quantizer == nil, choices.packing.map({ $0 == StageChoice(name) }) ?? true
    else { return nil }
    let activationChoice =
      choices.activations ?? resolver.defaultActivations(for: .ternary, isStored: true)
    let activations = try resolver.lab[.activations].make(activationChoice)
    guard let (packed, packing) = try checkpoint.packed(role, layer: layer),
      let linear = kernel.adopted(packed, for: activations.form)
    else { return nil }
    let count = packed.rows * packed.columns
    let isZero = packed.scales.allSatisfy { $0 == 0 } || packing.isZero(packed)
    return BuiltLinear(
      linear: linear,
      report: LayerReport(
        name: LayerResolver.name(role, layer: layer), rows: linear.rows, columns: linear.columns,
        form: "ternary weights (scale per \(packed.granularity))", weights: .ternary,
        granularity: packed.granularity, provenance: "trits of the checkpoint",
        kernel: linear.kernel, activations: activationChoice.description,
        activationForm: activations.form, arithmetic: linear.arithmetic,
        bytes: linear.weightBytes, skips: linear.skips,
        plainBytes: QuantizedWeights.plainBytes(trits: count, scales: packed.scales.count),
        kernelChoice: choices.kernel.description, isPicked: false, isZero: isZero),
      activations: activations, activationChoice: activationChoice,
      innerNorm: checkpoint.isUnconverted(role, layer: layer)
        ? nil : try checkpoint.innerNorm(role, layer: layer),
      rotation: checkpoint.rotation(role, layer: layer))
  }

  private func prepared(_ role: LinearRole, layer: Int) throws -> BuiltLinear {
    if let layer = try adopted(role, layer: layer) { return layer }
    let resolved = try resolver.resolve(role, layer: layer)
    let linear: any PreparedLinear
    do {
      // Float weights, or a byte each, and then the kernel's own packing.
      try MemoryLimit.require(
        Size.product(5, resolved.weights.rows, resolved.weights.columns), for: "its weights",
        advice: "take a smaller model, or a narrower kernel such as i2_s")
      linear = try resolved.prepared()
    } catch let error as LabError {
      throw error.inside(resolved.name)
    }
    return BuiltLinear(
      linear: linear,
      report: LayerReport(
        name: resolved.name, rows: linear.rows, columns: linear.columns,
        form: resolved.weights.form,
        weights: linear.isDenseBaseline ? .dense : resolved.weights.kind,
        granularity: resolved.weights.granularity,
        provenance: resolved.provenance, kernel: linear.kernel,
        activations: resolved.activationChoice.description,
        activationForm: resolved.activations.form, arithmetic: linear.arithmetic,
        bytes: linear.weightBytes, skips: linear.skips,
        plainBytes: resolved.weights.plainBytes, kernelChoice: resolved.kernelChoice.description,
        isPicked: resolved.kernel is AutoKernel, isZero: resolved.weights.isZero),
      activations: resolved.activations, activationChoice: resolved.activationChoice,
      innerNorm: resolved.source.innerNorm,
      rotation: resolver.checkpoint.rotation(role, layer: layer))
  }
}
