extension BlockOperation {
  /// The buffers that the operation reads or writes.
  var buffers: Set<BlockBuffer> {
    switch self {
    case .norm(_, let input, let output): [input, output]
    case .headNorm(_, let buffer), .rotate(let buffer): [buffer]
    case .project(let roles, let input): Set(roles.map(\.output)).union([input])
    case .bias(let role): [role.output]
    case .store: [.key, .value]
    case .attend: [.query, .attended]
    case .gate: [.gate, .up]
    case .add: [.stream, .projected]
    }
  }
}
