public import TritCore

/// A way to multiply packed weights with activations.
///
/// Laws (`checkLinearKernel`): every lossless kernel gives int32 accumulators that are
/// bit-identical to the reference kernel's, for every legal shape and number of tokens, whatever
/// the row ranges; a lossy one stays within the bound that its descriptor states.
public protocol LinearKernel: Sendable {
  /// The registered name, `packing/instruction set`: `i2_s/avx512vnni`, `reference`, `openblas`.
  var name: String { get }
  /// The form of activations it multiplies; where there are several, the one that `prepare(_:)` is
  /// for.
  var accepts: ActivationForm { get }
  /// Every form of activations it multiplies: those for which `prepare(_:for:)` takes weights that
  /// the kernel takes at all, and no others. What checks choices before a run asks this, and the
  /// engine asks `prepare`; a law (`checkLinearKernel`) says that both give one answer.
  var forms: Set<ActivationForm> { get }
  /// Whether it is there to be read, without SIMD of its own: `auto` times it only where no other
  /// kernel takes the weights.
  var isPlain: Bool { get }
  /// Lays `weights` out for this kernel. Throws an error that says why where it cannot take them:
  /// wrong form (`kernel 'i2_s' takes ternary weights; …`) or shape.
  func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear
  /// The same, told which form of activations will come. Throws an error that
  /// explains itself where the kernel multiplies another form. Kernels that choose (`auto`)
  /// override it.
  func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws -> any PreparedLinear
  /// Prepares for `form`, told how the layer will run and what of the product can be left out: what
  /// an engine calls. By itself that changes nothing; `auto` measures under these conditions.
  func prepare(
    _ weights: QuantizedWeights, for form: ActivationForm, under conditions: AutoKernel.Conditions
  ) throws -> any PreparedLinear
}

extension LinearKernel {
  /// `accepts` alone.
  public var forms: Set<ActivationForm> { [accepts] }

  /// It is there to be fast.
  public var isPlain: Bool { false }

  /// Prepares for `form`.
  public func prepare(
    _ weights: QuantizedWeights, for form: ActivationForm, under conditions: AutoKernel.Conditions
  ) throws -> any PreparedLinear { try prepare(weights, for: form) }

  /// Checks that `form` is what the kernel accepts, then prepares.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    try checkForm(form)
    return try prepare(weights)
  }

  /// Throws an error that explains itself unless `form` is one of `forms`.
  public func checkForm(_ form: ActivationForm) throws {
    guard forms.contains(form) else {
      let own = forms.map(\.rawValue).sorted().joined(separator: " or ")
      throw LabError(
        .usage,
        "kernel '\(name)' multiplies \(own) activations; the activation quantizer gives "
          + form.rawValue,
        expected: "an activation quantizer that gives \(own)",
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
  /// Bytes of weights and scales that one multiply reads; the most that it may read, where it
  /// `skips` some.
  var weightBytes: Int { get }
  /// The memory that the layer owns, what depends on the weights, in a fixed order. A race throws
  /// it out of the caches before each multiply, since a model's weights come from memory; before a
  /// layer that states none it reads as much other memory as the caches hold, which takes
  /// milliseconds.
  var memory: [any RawMemory] { get }
  /// What a multiply leaves unread where it is zero or not wanted.
  var skips: ExpectedSparsity { get }
  /// The form of activations it multiplies.
  var accepts: ActivationForm { get }
  /// What its products are made of: the peak of the machine that bounds it. Not always the form of
  /// the activations: `dequantize` widens int8 rows to float32 first.
  var arithmetic: ProductArithmetic { get }
  /// Whether the layer stands for a dense float32 one, whatever weights it was given: what
  /// `openblas`, the reference, is for.
  var isDenseBaseline: Bool { get }
  /// Row ranges that workers take start at multiples of this.
  var rowAlignment: Int { get }
  /// What must be built from the activations first (tables, panels), if anything.
  var inputLayout: (any InputLayout)? { get }

  /// Computes `y[t, r]` for all `x.rows` tokens and the rows `r` in `range`, scales applied.
  /// `y` is `[tokens, rows]` with any stride. If there is an `inputLayout`, it has been built in
  /// `x`. No allocation; disjoint ranges may run on different threads.
  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>)

  /// Computes the integer sums `Σ_k w[r, k] · q[t, k]` without scales into `accumulators`
  /// `[tokens, rows]`. False (and nothing written) where there is no single integer sum a row:
  /// float kernels, grouped scales.
  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool
}

/// What a layer's products are made of.
public enum ProductArithmetic: String, Sendable, Hashable, CaseIterable {
  /// int8 products, or the look-ups that stand for them, summed in integers.
  case int8
  /// float32 products and sums.
  case float32
}

extension PreparedLinear {
  /// Nothing is stated.
  public var memory: [any RawMemory] { [] }

  /// Nothing: every multiply reads all weights.
  public var skips: ExpectedSparsity { .none }

  /// That of the activations.
  public var arithmetic: ProductArithmetic { accepts == .int8 ? .int8 : .float32 }

  /// It stands for the weights that it was given.
  public var isDenseBaseline: Bool { false }

  /// Multiplies all rows on the calling thread.
  public func multiply(_ x: QuantizedRows, into y: MutableMatrixView<Float>) {
    if let inputLayout { _ = x.built(inputLayout) }
    multiply(x, rows: 0..<rows, into: y)
  }
}
