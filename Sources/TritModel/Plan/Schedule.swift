import TritAttention
import TritCore
import TritKernels
import TritQuantization

/// One step of a forward pass; the threads meet after each.
enum ForwardStep {
  /// Operations on rows, and the quantizer of what reads them.
  case rows([RowStep], RowFeed?, TimedStage)
  /// Linear layers of one input.
  case multiply(MultiplyStep)
  /// Attention of one layer.
  case attend(AttendStep)
}

/// Linear layers of one quantized input.
struct MultiplyStep {
  let group: ProjectionGroup
  let rows: QuantizedRows
  let outputs: ProjectionOutputs
  /// up, where it may be computed for the rows alone whose gate is not 0, with gate and up.
  let selective: (any SelectiveLinear)?
  /// What a probe sees afterwards.
  let shown: [(name: String, values: MatrixView<Float>)]
}

/// Attention of one layer.
struct AttendStep {
  let layer: Int
  let attention: LayerAttention
  let query: MatrixView<Float>
  let output: MutableMatrixView<Float>
}

/// The steps of all blocks, from their plan.
///
/// Operations on rows that follow each other become one region, across the border of two blocks
/// too, and end with the quantizer of the projection that reads them. What is done to the input of
/// a layer by the layer itself joins the region for the first group of layers, and is a region of
/// its own for the others. A decoded token so meets the other threads at q, k, v; at attention; at
/// o; at gate and up; and at down.
struct Schedule {
  private(set) var steps: [ForwardStep] = []
  private var pending: [RowStep] = []
  private let plan: ModelPlan
  private let workspace: Workspace
  private let cache: any KVCache

  /// Binds the operations of `plan` to weights and buffers. `attention` and `rotary` give what a
  /// layer has of its own.
  init(
    _ plan: ModelPlan, _ blocks: [Block], on workspace: Workspace, cache: any KVCache,
    attention: (Int) -> LayerAttention, rotary: (Int) -> RotaryEmbedding
  ) {
    self.plan = plan
    self.workspace = workspace
    self.cache = cache
    for (layer, block) in blocks.enumerated() {
      var projections = block.projections[...]
      let last = plan.block.operations.count - 1
      for (place, operation) in plan.block.operations.enumerated() {
        switch operation {
        case .project(_, let input):
          guard let projection = projections.popFirst() else { continue }
          project(projection, from: input, layer: layer)
        case .attend:
          flush(feed: nil)
          steps.append(
            .attend(
              AttendStep(
                layer: layer, attention: attention(layer),
                query: workspace.rows(.query).readOnly, output: workspace.rows(.attended))))
        default:
          if let work = bound(operation, block, layer: layer, rotary: rotary) {
            let name = place == last ? "out" : Self.name(operation)
            pending.append(RowStep(work: work, name: name.map { "blk.\(layer).\($0)" }))
          }
        }
      }
    }
    flush(feed: nil)
  }

  /// An operation on rows over its buffers.
  private func bound(
    _ operation: BlockOperation, _ block: Block, layer: Int, rotary: (Int) -> RotaryEmbedding
  ) -> RowWork? {
    let epsilon = plan.configuration.normEpsilon
    switch operation {
    case .norm(let role, let input, let output):
      guard let gains = block.norms[role] else { return nil }
      return .norm(
        workspace.rows(input).readOnly, gains, epsilon: epsilon,
        into: workspace.rows(output))
    case .headNorm(let role, let buffer):
      return block.norms[role].map { .headNorm(workspace.rows(buffer), $0, epsilon: epsilon) }
    case .bias(let role):
      return block.biases[role].map { .bias(workspace.rows(role.output), $0) }
    case .rotate(let buffer): return .rotate(workspace.rows(buffer), rotary(layer))
    case .store:
      return .store(
        workspace.rows(.key).readOnly, workspace.rows(.value).readOnly, cache, layer: layer)
    case .gate:
      return .gate(plan.configuration.activation, workspace.rows(.gate), workspace.rows(.up))
    case .add(let multiplier):
      return .add(workspace.rows(.stream), workspace.rows(.projected), multiplier: multiplier)
    case .project, .attend: return nil
    }
  }

  /// The groups of a projection: each prepared and quantized, then multiplied.
  private mutating func project(_ projection: Projection, from input: BlockBuffer, layer: Int) {
    guard let columns = projection.roles.first?.shape(plan.configuration).columns else { return }
    let source = workspace.rows(input).readOnly
    let rows = workspace.quantized(width: columns)
    let outputs = ProjectionOutputs(projection.roles.map { workspace.rows($0.output) })
    for group in projection.groups {
      var input = source
      switch group.preparation {
      case .none: break
      case .norm(let gains, let epsilon):
        let output = workspace.prepared(columns: columns)
        pending.append(RowStep(work: .norm(source, gains, epsilon: epsilon, into: output)))
        input = output.readOnly
      case .rotation(let rotation):
        let output = workspace.prepared(columns: columns)
        pending.append(RowStep(work: .hadamard(source, rotation, into: output)))
        input = output.readOnly
      }
      flush(feed: RowFeed(activations: group.activations, input: input, rows: rows))
      let roles = group.layers.map { projection.roles[$0.output] }
      steps.append(
        .multiply(
          MultiplyStep(
            group: group, rows: rows, outputs: outputs,
            selective: projection.selectiveUp,
            shown: roles.filter { !plan.block.biases.contains($0) }.map {
              (LayerResolver.name($0, layer: layer), workspace.rows($0.output).readOnly)
            })))
    }
  }

  /// Ends a region.
  private mutating func flush(feed: RowFeed?) {
    guard !pending.isEmpty || feed != nil else { return }
    var stage = TimedStage.norm
    for step in pending {
      switch step.work {
      case .rotate, .store: stage = .rotary
      case .gate: stage = .activation
      default: break
      }
    }
    if pending.isEmpty { stage = .quantize }
    steps.append(.rows(pending, feed, stage))
    pending = []
  }

  /// The name of what an operation gives, for probes.
  private static func name(_ operation: BlockOperation) -> String? {
    switch operation {
    case .norm(let role, _, _), .headNorm(let role, _): role.probe
    case .bias(let role): role.rawValue
    case .rotate(let buffer): buffer == .query ? "attn_q.rope" : "attn_k.rope"
    case .gate: "ffn.act"
    // The sum of the attention half is seen normed; that of the block is `out`.
    case .add, .store, .project, .attend: nil
    }
  }
}

extension NormRole {
  /// What a probe calls the normed rows.
  fileprivate var probe: String {
    switch self {
    case .attention: "attn_norm"
    case .feedForward: "ffn_norm"
    case .attentionSub: "attn.sub_norm"
    case .feedForwardSub: "ffn.sub_norm"
    case .query: "attn_q.norm"
    case .key: "attn_k.norm"
    case .postAttention: "attn.post_norm"
    case .postFeedForward: "ffn.post_norm"
    }
  }
}
