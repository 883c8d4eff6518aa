import TritCore

/// What a block computes, operation by operation, in the order of the formulas; the same for every
/// block of a model but for the window and the rotary base, which `ModelConfiguration` gives by
/// layer.
///
/// norm → project q, k, v → [biases] → [norms of heads] → rotate → store → attend → [sub-norm] →
/// project o → [norm] → add → norm → project gate, up → gate → [sub-norm] → project down → [norm] →
/// add. What is in brackets is there where a family has it.
///
/// Sources: Touvron et al. 2023 (Llama); Ma et al. 2025, BitNet b1.58 2B4T, §2 (sub-norms); Gemma
/// Team 2025, §2 (norms before and after, of queries and keys); transformers 5, `modeling_*.py`.
public struct BlockPlan: Sendable, Hashable {
  /// In the order in which they are done.
  public let operations: [BlockOperation]
  /// Norms of a block with gains in the checkpoint.
  public let norms: Set<NormRole>
  /// Linear layers with a bias.
  public let biases: Set<LinearRole>

  /// The block of `configuration` in a checkpoint that has these sub-norms and biases.
  init(
    _ configuration: ModelConfiguration, subNorms: Set<NormRole> = [],
    biases: Set<LinearRole> = []
  ) {
    var list: [BlockOperation] = []
    func add(_ operation: BlockOperation) { list.append(operation) }
    func project(_ roles: [LinearRole], from input: BlockBuffer) {
      add(.project(roles, from: input))
      for role in roles where biases.contains(role) { add(.bias(role)) }
    }
    /// The half's end: the norm of what is added, if there is one, and the sum.
    func join(_ role: NormRole) {
      if configuration.hasPostNorms { add(.norm(role, from: .projected, into: .projected)) }
      add(.add(multiplier: configuration.residualMultiplier))
    }
    /// What a projection reads: `buffer`, or its sub-norm, in a buffer of its width that nobody
    /// needs any more.
    func subNormed(_ role: NormRole, _ buffer: BlockBuffer, into free: BlockBuffer) -> BlockBuffer {
      guard subNorms.contains(role) else { return buffer }
      add(.norm(role, from: buffer, into: free))
      return free
    }
    add(.norm(.attention, from: .stream, into: .normed))
    project([.query, .key, .value], from: .normed)
    if configuration.hasHeadNorms {
      add(.headNorm(.query, .query))
      add(.headNorm(.key, .key))
    }
    if configuration.rotates {
      add(.rotate(.query))
      add(.rotate(.key))
    }
    add(.store)
    add(.attend(softCap: configuration.attentionSoftCap))
    project([.attentionOutput], from: subNormed(.attentionSub, .attended, into: .query))
    join(.postAttention)
    add(.norm(.feedForward, from: .stream, into: .normed))
    project([.gate, .up], from: .normed)
    add(.gate)
    project([.down], from: subNormed(.feedForwardSub, .gate, into: .up))
    join(.postFeedForward)
    operations = list
    self.biases = biases
    norms = Set(
      list.compactMap {
        switch $0 {
        case .norm(let role, _, _), .headNorm(let role, _): role
        default: nil
        }
      })
  }

  /// The operations between whose first and last a buffer holds something, or nil where none uses
  /// it. The stream lives from block to block.
  func life(of buffer: BlockBuffer) -> ClosedRange<Int>? {
    guard buffer != .stream else { return 0...operations.count - 1 }
    let uses = operations.indices.filter { operations[$0].buffers.contains(buffer) }
    guard let first = uses.first, let last = uses.last else { return nil }
    return first...last
  }

  /// Whether norms stand before the output and down projections.
  public var hasSubNorms: Bool { norms.contains(.attentionSub) || norms.contains(.feedForwardSub) }

  /// The linear layers, in the order in which they run.
  public var linears: [LinearRole] {
    operations.flatMap { operation -> [LinearRole] in
      if case .project(let roles, _) = operation { return roles }
      return []
    }
  }
}

extension ModelConfiguration {
  /// Elements of the gains of a norm.
  public func width(of role: NormRole) -> Int {
    switch role {
    case .attention, .feedForward, .postAttention, .postFeedForward: hiddenSize
    case .attentionSub: querySize
    case .feedForwardSub: feedForwardSize
    case .query, .key: headDimension
    }
  }
}
