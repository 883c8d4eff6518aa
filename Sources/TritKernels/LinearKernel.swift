public import TritCore

/// A way to multiply packed weights with activations.
///
/// Laws (`checkLinearKernel`): every lossless kernel gives int32 accumulators that are bit-identical to
/// the reference kernel's, for every legal shape and number of tokens, whatever the row ranges; a lossy
/// one stays within the bound that its descriptor states.
public protocol LinearKernel: Sendable {
  /// The registered name, `packing/instruction set`: `i2_s/avx512vnni`, `reference`, `openblas`.
  var name: String { get }
  /// The form of activations it multiplies.
  var accepts: ActivationForm { get }
  /// Lays `weights` out for this kernel. Throws an error that says why where it cannot take them:
  /// wrong form (`kernel 'i2_s' takes ternary weights; …`) or shape.
  func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear
  /// The same, told which form of activations will come. Throws an error that
  /// explains itself where the kernel multiplies another form. Kernels that choose (`auto`) override it.
  func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws -> any PreparedLinear
  /// The same, told what of the product can be left out: what an engine calls. By itself that changes nothing;
  /// `auto` then measures kernels that skip zeros too.
  func prepare(
    _ weights: QuantizedWeights, for form: ActivationForm, expecting sparsity: ExpectedSparsity
  ) throws -> any PreparedLinear
}

/// What a layer can leave out, before anything is known of a text.
public enum ExpectedSparsity: Sendable, Hashable {
  /// Nothing.
  case none
  /// Columns: inputs behind ReLU² (`down`). Gates that are normally distributed around 0, as those of random
  /// weights, give two thirds zeros after int8 rounding; trained models give more.
  case inputs
  /// Rows: outputs that meet ReLU² of a gate (`up`). Half of such gates are not above 0.
  case outputs

  /// The share that is expected to be left out.
  var share: Double {
    switch self {
    case .none: 0
    case .inputs: 2 / 3
    case .outputs: 1 / 2
    }
  }
}

extension LinearKernel {
  /// Prepares for `form`.
  public func prepare(
    _ weights: QuantizedWeights, for form: ActivationForm, expecting sparsity: ExpectedSparsity
  ) throws -> any PreparedLinear { try prepare(weights, for: form) }

  /// Checks that `form` is what the kernel accepts, then prepares.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    try checkForm(form, isLegal: form == accepts)
    return try prepare(weights)
  }

  /// Throws an error that explains itself unless `isLegal`.
  package func checkForm(_ form: ActivationForm, isLegal: Bool) throws {
    guard isLegal else {
      throw LabError(
        .usage,
        "kernel '\(name)' multiplies \(accepts.rawValue) activations; the activation quantizer gives "
          + form.rawValue,
        expected: "an activation quantizer that gives \(accepts.rawValue)",
        advice: form == .float32
          ? "use kernel 'dequantize', 'openblas' or 'auto', or activations 'int8'"
          : "use kernel 'auto' or one that multiplies int8, or activations 'none'")
    }
  }
}

/// A layer ready to run: laid-out weights, kernel, scales. `y[t, r] = Σ_k w[r, k] · x[t, k]`.
public protocol PreparedLinear: Sendable {
  /// The name of the kernel that runs, after `auto` has picked one.
  var kernel: String { get }
  /// Number of rows (outputs).
  var rows: Int { get }
  /// Number of columns (inputs).
  var columns: Int { get }
  /// Bytes of weights and scales that one multiply reads; the most that it may read, where it `skips` some.
  var weightBytes: Int { get }
  /// What a multiply leaves unread where it is zero or not wanted.
  var skips: ExpectedSparsity { get }
  /// The form of activations it multiplies.
  var accepts: ActivationForm { get }
  /// Row ranges that workers take start at multiples of this.
  var rowAlignment: Int { get }
  /// What must be built from the activations first (tables, panels), if anything.
  var inputLayout: (any InputLayout)? { get }

  /// Computes `y[t, r]` for all `x.rows` tokens and the rows `r` in `range`, scales applied.
  /// `y` is `[tokens, rows]` with any stride. If there is an `inputLayout`, it has been built in `x`.
  /// No allocation; disjoint ranges may run on different threads.
  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>)

  /// Computes the integer sums `Σ_k w[r, k] · q[t, k]` without scales into `accumulators`
  /// `[tokens, rows]`. False (and nothing written) where there is no single integer sum a row: float
  /// kernels, grouped scales.
  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool
}

extension PreparedLinear {
  /// Nothing: every multiply reads all weights.
  public var skips: ExpectedSparsity { .none }

  /// Multiplies all rows on the calling thread.
  public func multiply(_ x: QuantizedRows, into y: MutableMatrixView<Float>) {
    if let inputLayout { _ = x.built(inputLayout) }
    multiply(x, rows: 0..<rows, into: y)
  }
}
