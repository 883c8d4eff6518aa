import TritCore
import TritKernels
import TritQuantization

/// Linear layers that read the same quantized input: q, k and v; gate and up. The input is normed
/// and quantized once for all of them.
struct ProjectionGroup {
  /// Gains of the norm inside these linears, if they have one.
  let innerNorm: AlignedBuffer<Float>?
  /// Its epsilon.
  let innerEpsilon: Float
  /// What quantizes the input.
  let activations: any ActivationQuantizer
  /// The layers and, for each, the index of the output that it writes.
  let layers: [(linear: any PreparedLinear, output: Int)]
  /// Distinct input layouts of the layers' kernels.
  let layouts: [any InputLayout]

  /// Puts layers that may share their input together, in order: same norm gains, same quantizer
  /// choice.
  static func grouped(
    _ layers: [BuiltLinear], epsilon: Float
  ) -> [ProjectionGroup] {
    var groups: [(key: BuiltLinear, members: [(any PreparedLinear, Int)])] = []
    for (output, layer) in layers.enumerated() {
      let match = groups.firstIndex {
        $0.key.activationChoice == layer.activationChoice && $0.key.innerNorm == layer.innerNorm
      }
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
      return ProjectionGroup(
        innerNorm: group.key.innerNorm.map { AlignedBuffer($0) }, innerEpsilon: epsilon,
        activations: group.key.activations,
        layers: group.members.map { (linear: $0.0, output: $0.1) }, layouts: layouts)
    }
  }
}
