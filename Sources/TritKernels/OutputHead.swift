public import TritCore

/// The matrix that turns the last hidden state into logits, `[vocabulary, hidden]`, in some
/// precision.
///
/// Separate from `LinearKernel` since its input is never int8-quantized in these models, it is the
/// largest matrix of all, and a sampler may need only its greatest outputs.
public protocol OutputHead: Sendable {
  /// The registered name: `f32`, `f16`, `bf16`, `int8`, `int6`, `int4`, `screened`.
  var name: String { get }
  /// Lays the float32 matrix `[vocabulary, hidden]` out.
  func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead
  /// The same from rows that are read as they are needed, by the threads of `pool` if there is one:
  /// what an engine calls. Heads that keep fewer bits never hold the whole matrix in float32.
  func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead
}

/// An output head ready to run.
public protocol PreparedHead: Sendable {
  /// The name of the head and what runs it.
  var kernel: String { get }
  /// Number of logits.
  var rows: Int { get }
  /// Width of the hidden state.
  var columns: Int { get }
  /// Bytes that one full pass reads.
  var weightBytes: Int { get }
  /// The memory that the head owns, what depends on the weights, in a fixed order; as
  /// `PreparedLinear.memory`.
  var memory: [any RawMemory] { get }
  /// Row ranges that workers take start at multiples of this.
  var rowAlignment: Int { get }
  /// Computes `logits[t, r]` for all rows of `x` `[tokens, hidden]` and `r` in `range`. No
  /// allocation; disjoint ranges may run on different threads.
  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>)
  /// The most that the weights of `row` differ from the float32 ones in all, as a Euclidean length:
  /// by Cauchy and Schwarz a logit is off by at most this times ‖x‖, beside the rounding of the
  /// sum.
  func weightError(row: Int) -> Float
  /// Called once after all ranges of one `x` are done, with the threads of `pool` to use: the place
  /// where `screened` rescores every candidate that its bound cannot rule out. Most heads do
  /// nothing.
  func finish(_ x: MatrixView<Float>, logits: MutableMatrixView<Float>, on pool: WorkerPool?)
}

extension PreparedHead {
  /// Nothing is stated.
  public var memory: [any RawMemory] { [] }

  /// Exact weights.
  public func weightError(row: Int) -> Float { 0 }

  /// Nothing to finish.
  public func finish(
    _ x: MatrixView<Float>, logits: MutableMatrixView<Float>, on pool: WorkerPool?
  ) {}
}
