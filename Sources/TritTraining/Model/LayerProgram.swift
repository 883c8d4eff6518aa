import TritAttention
import TritCore
import TritModel

/// A matrix of a training pass, `[tokens, columns]`: where it lies.
struct Place: Sendable {
  /// The memory.
  enum Memory: Sendable, Hashable {
    /// The residual stream (or its gradient) before the first sum of a layer, after it, and so on.
    case stream(Int)
    /// What a layer keeps from its forward pass for its backward pass.
    case kept(Int)
    /// Gradients of all tokens, which layers use one after the other.
    case shared(Int)
    /// What a worker uses for one sequence.
    case scratch(Int)
  }

  var memory: Memory
  var column = 0
  var columns: Int
  /// Columns of a row of the memory.
  var stride: Int

  init(_ memory: Memory, columns: Int) {
    self.memory = memory
    self.columns = columns
    stride = columns
  }

  /// Columns of this matrix.
  func part(_ first: Int, _ count: Int) -> Place {
    var place = self
    place.column += first
    place.columns = count
    return place
  }
}

/// The gains of a norm: where they lie among the parameters, and whether something is added to them
/// before they multiply.
struct Gain: Sendable {
  let offset: Int
  let isShifted: Bool
}

/// One operation of a block as the trainer computes it: what it reads, writes and keeps, and where
/// the gradients of these are.
enum TrainingStep: Sendable {
  case norm(NormStep)
  case headNorm(HeadNormStep)
  case project(ProjectStep)
  case bias(BiasStep)
  case rotate(RotateStep)
  case attend(AttendStep)
  case gate(GateStep)
  case add(AddStep)
}

/// Norm of rows. The gradient of the stream goes around the half of a block that begins with it.
struct NormStep: Sendable {
  let gain: Gain
  let input: Place, output: Place
  let dOutput: Place, dInput: Place
  /// A gradient that is added to that of the input.
  let around: Place?
  /// Where the gradient of the gains is summed, by sequence.
  let partial: Int
}

/// Norm of every head, in place; the heads before it are kept.
struct HeadNormStep: Sendable {
  let gain: Gain
  let dimension: Int
  let values: Place, kept: Place, gradient: Place
  let partial: Int
}

/// Linear layers of one input.
struct ProjectStep: Sendable {
  /// Those that read the same form of it, as one matrix.
  struct Branch: Sendable {
    /// Where the weights begin, `[rows, columns]`.
    let weights: Int
    let rows: Int, columns: Int
    let isQuantized: Bool
    /// The layer's own norm of its input, which reads the input and writes `input`.
    let norm: Gain?
    let partial: Int
    /// What is multiplied.
    let input: Place
    /// Whether `input` is a copy that this step makes.
    let copies: Bool
    /// Whether `input` is replaced by what its quantized form stands for.
    let quantizes: Bool
    let output: Place, gradient: Place
  }

  let input: Place, dInput: Place
  let branches: [Branch]
  /// The version of the stream that the output is added to; nil where the output is a matrix of its
  /// own.
  let stream: Int?
}

/// A bias, in place.
struct BiasStep: Sendable {
  let offset: Int
  let values: Place, gradient: Place
  let partial: Int
}

/// Turns heads, in place.
struct RotateStep: Sendable {
  let rotary: RotaryTable
  let values: Place, gradient: Place
}

/// Attention.
struct AttendStep: Sendable {
  let attention: CausalAttention
  let query: Place, key: Place, value: Place
  let output: Place
  /// Where the logarithms of the sums are kept.
  let logSums: Place
  let dQuery: Place, dKey: Place, dValue: Place
  let dOutput: Place
}

/// The gated unit.
struct GateStep: Sendable {
  let unit: GatedUnit
  let gate: Place, up: Place, output: Place
  let dGate: Place, dUp: Place, dOutput: Place
}

/// `stream(version + 1) = stream(version) + multiplier · added`.
struct AddStep: Sendable {
  let version: Int
  let multiplier: Float
  let added: Place
  /// The gradient of what is added, where it is not that of the sum itself.
  let dAdded: Place?
}
