import TritCore
import TritKernels
import TritQuantization

/// What a layer does to its input before it is quantized.
enum InputPreparation {
  /// Nothing.
  case none
  /// A norm of its own.
  case norm(AlignedBuffer<Float>, epsilon: Float)
  /// A rotation, where the weights are rotated.
  case rotation(HadamardRotation)
}

/// Linear layers that read the same quantized input: q, k and v; gate and up. The input is prepared
/// and quantized once for all of them.
struct ProjectionGroup {
  /// What comes before the quantizer.
  let preparation: InputPreparation
  /// What quantizes the input.
  let activations: any ActivationQuantizer
  /// The layers and, for each, the index of the output that it writes.
  let layers: [(linear: any PreparedLinear, output: Int)]
  /// Distinct input layouts of the layers' kernels.
  let layouts: [any InputLayout]

  /// Whether the layers read the input as it is.
  var readsPlainInput: Bool {
    if case .none = preparation { return true }
    return false
  }

  /// Puts layers that may share their input together, in order: same norm gains, same rotation,
  /// same quantizer choice.
  static func grouped(_ layers: [BuiltLinear], epsilon: Float) -> [ProjectionGroup] {
    var groups: [(key: BuiltLinear, members: [(any PreparedLinear, Int)])] = []
    for (output, layer) in layers.enumerated() {
      let match = groups.firstIndex { $0.key.sharesInput(with: layer) }
      if let match {
        groups[match].members.append((layer.linear, output))
      } else {
        groups.append((layer, [(layer.linear, output)]))
      }
    }
    return groups.map { group in
      var layouts: [any InputLayout] = []
      for (linear, _) in group.members {
        if let layout = linear.inputLayout, !layouts.contains(where: { $0.id == layout.id }) {
          layouts.append(layout)
        }
      }
      let preparation: InputPreparation =
        group.key.innerNorm.map { .norm(AlignedBuffer($0), epsilon: epsilon) }
        ?? group.key.rotation.map { .rotation($0) } ?? .none
      return ProjectionGroup(
        preparation: preparation, activations: group.key.activations,
        layers: group.members.map { (linear: $0.0, output: $0.1) }, layouts: layouts)
    }
  }
}
