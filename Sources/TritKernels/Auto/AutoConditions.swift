import TritCore

extension AutoKernel {
  /// What a choice is for: the two uses prefer different kernels where memory bounds the one and
  /// arithmetic the other.
  public enum Use: String, Sendable, CaseIterable {
    /// Both count the same: the smallest product of the two times.
    case both
    /// One token at a time.
    case decode
    /// Many tokens at a time.
    case prefill

    /// What is compared of two times. The geometric mean of both needs no weight for either.
    func score(decode: Double, prefill: Double) -> Double {
      switch self {
      case .both: (decode * prefill).squareRoot()
      case .decode: decode
      case .prefill: prefill
      }
    }
  }

  /// Under which conditions candidates are timed: those under which the model will run.
  public struct Conditions: Sendable, Hashable {
    /// Threads that share a multiply.
    public var threads: Int
    /// Whether weights come from memory, as those of a model larger than the last cache do for
    /// every token; else they come from the caches. A denser packing wins only where memory is the
    /// bound.
    public var fromMemory: Bool
    /// What of the product can be left out.
    public var sparsity = ExpectedSparsity.none

    /// One thread, weights from memory.
    public init(threads: Int = 1, fromMemory: Bool = true) {
      self.threads = max(threads, 1)
      self.fromMemory = fromMemory
    }

    /// Those of a model whose linear layers have `weights` weights of two bits, on `threads`
    /// threads.
    public static func model(weights: Int, threads: Int) -> Conditions {
      Conditions(threads: threads, fromMemory: weights / 4 > CacheSizes.here.last / 2)
    }

    /// `from memory, 2 threads`.
    var words: String {
      let rest =
        switch sparsity {
        case .none: ""
        case .inputs: ", two thirds of the inputs zero"
        case .outputs: ", half of the outputs not wanted"
        }
      return
        "from \(fromMemory ? "memory" : "the caches"), \(threads) thread\(threads == 1 ? "" : "s")"
        + rest
    }
  }

  /// How long one candidate took on the measured rows.
  public struct Timing: Sendable, Hashable {
    /// The candidate's name.
    public let kernel: String
    /// Rows that were measured.
    public let rows: Int
    /// Nanoseconds for one token.
    public let decode: Double
    /// Nanoseconds a token in a batch.
    public let prefill: Double

    /// What is compared for `use`.
    func score(_ use: Use) -> Double { use.score(decode: decode, prefill: prefill) }
  }

  /// What was picked for a shape, and why.
  public struct Decision: Sendable, CustomStringConvertible {
    /// Rows of the matrix.
    public let rows: Int
    /// Columns of the matrix.
    public let columns: Int
    /// The form of the weights, in words.
    public let weights: String
    /// The form of the activations.
    public let activations: ActivationForm
    /// What the choice is for.
    public let use: Use
    /// How candidates were timed.
    public let conditions: Conditions
    /// The name of the kernel.
    public let picked: String
    /// Why, in words.
    public let reason: String
    /// What was measured, in the order of the candidates; empty where there was no choice.
    public let timings: [Timing]
    /// Whether the measurement was done by an earlier run.
    public var isRemembered = false

    /// `2560 × 6912, ternary weights (scale per tensor): i2_s/avx512vnni, fastest of 9 for both uses (from memory, 2 threads): …`,
    /// with nanoseconds for one token and per token of a batch.
    public var description: String {
      let list = timings.sorted { $0.score(use) < $1.score(use) }.map {
        "\($0.kernel) \(Int($0.decode))/\(Int($0.prefill)) ns"
      }
      let aim = use == .both ? "decode and prefill" : use.rawValue
      let detail =
        list.isEmpty
        ? ""
        : " for \(aim) (\(conditions.words)\(isRemembered ? ", measured earlier" : "")): "
          + list.joined(separator: ", ")
      return "\(rows) × \(columns), \(weights), \(activations.rawValue) activations: "
        + "\(picked), \(reason)\(detail)"
    }

    /// Whether this answers the question what to take for `weights`.
    func answers(
      _ weights: QuantizedWeights, _ form: ActivationForm, _ use: Use, _ conditions: Conditions
    ) -> Bool {
      rows == weights.rows && columns == weights.columns && activations == form && self.use == use
        && self.conditions == conditions && self.weights == weights.form
    }
  }
}
