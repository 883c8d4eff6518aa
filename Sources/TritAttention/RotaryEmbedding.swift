public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How rotary frequencies are stretched for contexts longer than the ones in training.
public enum RotaryScaling: Sendable, Hashable {
  /// As trained.
  case none
  /// All frequencies divided by `factor` (position interpolation, Chen et al. 2023).
  case linear(factor: Double)
  /// Llama 3.1: long waves divided by `factor`, short ones kept, a linear blend between.
  /// Source: transformers, `rope_type: llama3`.
  case llama3(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
  /// Short waves kept, long ones divided by `factor`, a linear ramp between by the turns that a wave
  /// makes in the first context; cosines and sines multiplied by `attentionFactor`, which is
  /// 0.1 ln(factor) + 1 where nothing is said. `truncates`: the ends of the ramp are whole pairs.
  /// Source: Peng et al. 2023, YaRN (2309.00071), §3; transformers, `rope_type: yarn`.
  case yarn(
    factor: Double, originalContext: Int, betaFast: Double, betaSlow: Double,
    attentionFactor: Double?, truncates: Bool)
  /// Every frequency divided by a factor of its own, `short` ones where the context is at most the
  /// first one, else `long` ones; cosines and sines multiplied by `attentionFactor`.
  /// Source: Ding et al. 2024, LongRoPE (2402.13753); transformers, `rope_type: longrope`.
  case longrope(short: [Float], long: [Float], originalContext: Int, attentionFactor: Double)

  /// √(1 + ln(factor) / ln(first context)); 1 for factors of at most 1.
  public static func longropeAttention(factor: Double, originalContext: Int) -> Double {
    factor <= 1 ? 1 : (1 + log(factor) / log(Double(max(originalContext, 2)))).squareRoot()
  }
}

/// Which two elements of a head turn together.
public enum RotaryPairing: Sendable, Hashable {
  /// `(x[i], x[i + n/2])`: Hugging Face checkpoints, and GGUF of all architectures but `llama`.
  case halfSplit
  /// `(x[2i], x[2i + 1])`: GGUF architecture `llama`, whose q and k rows are permuted for it.
  case adjacent
}

/// Rotary position embedding (Su et al. 2021, RoFormer, eq. 34): pair `i` of a head at position `p`
/// turns by the angle `p · base^(−2i/n)`, with `n` the rotary dimension.
///
/// Frequencies, angles, cosines and sines are float32, each step rounded as in transformers, since
/// at position 4000 the rounding of a frequency moves an angle by 1e-4. Cosines and sines are
/// tabulated for all positions when the value is made.
public struct RotaryEmbedding: Sendable {
  /// Elements of one head.
  public let headDimension: Int
  /// The first elements of each head that turn; the others pass unchanged.
  public let rotaryDimension: Int
  /// Which elements form pairs.
  public let pairing: RotaryPairing
  /// Positions `0..<maxPositions` can be asked for.
  public let maxPositions: Int
  /// Radians a position for each pair, after scaling; `rotaryDimension / 2` of them.
  public let frequencies: [Float]
  private let cosines: AlignedBuffer<Float>
  private let sines: AlignedBuffer<Float>

  /// Tabulates the rotation for `maxPositions` positions.
  ///
  /// `rotaryDimension` defaults to the whole head. `frequencyFactors` are the divisors of GGUF's
  /// `rope_freqs.weight`, one a pair; they replace `scaling`'s work in files that have them.
  /// Throws `badData` for an odd or oversized rotary dimension, a base or factor that is not
  /// positive, a wrong number of factors, and a table that memory cannot hold.
  public init(
    headDimension: Int, rotaryDimension: Int? = nil, base: Double = 10_000,
    scaling: RotaryScaling = .none, pairing: RotaryPairing = .halfSplit,
    frequencyFactors: [Float]? = nil, maxPositions: Int
  ) throws {
    let rotary = rotaryDimension ?? headDimension
    guard headDimension > 0, rotary > 0, rotary <= headDimension, rotary.isMultiple(of: 2) else {
      throw LabError(
        .badData, "the rotary dimension does not fit the head",
        expected: "an even number in 2…\(max(headDimension, 2)) (the head dimension)",
        got: "\(rotary)", advice: "check head_dim and rotary dimension in the model's configuration"
      )
    }
    guard base.isFinite, base > 0 else {
      throw LabError(
        .badData, "the rotary base is not a positive number", expected: "such as 10000 or 500000",
        got: "\(base)", advice: "check rope_theta or rope.freq_base of the model")
    }
    let pairs = rotary / 2
    if let frequencyFactors {
      guard frequencyFactors.count == pairs, frequencyFactors.allSatisfy({ $0.isFinite && $0 > 0 })
      else {
        throw LabError(
          .badData, "the rotary frequency factors do not fit", at: "rope_freqs.weight",
          expected: "\(pairs) positive numbers", got: "\(frequencyFactors.count) numbers")
      }
    }
    guard maxPositions > 0, maxPositions <= (1 << 36) / pairs else {
      throw LabError(
        .badData, "the rotary table cannot have \(maxPositions) positions",
        expected: "1…\((1 << 36) / pairs)", got: "\(maxPositions)",
        advice: "ask for a shorter context")
    }
    self.headDimension = headDimension
    self.rotaryDimension = rotary
    self.pairing = pairing
    self.maxPositions = maxPositions
    var frequencies = try Self.frequencies(
      rotaryDimension: rotary, base: base, scaling: scaling, positions: maxPositions)
    if let frequencyFactors {
      for pair in 0..<pairs { frequencies[pair] /= frequencyFactors[pair] }
    }
    self.frequencies = frequencies
    cosines = AlignedBuffer(count: maxPositions * pairs)
    sines = AlignedBuffer(count: maxPositions * pairs)
    let length: Float =
      switch scaling {
      case .none, .linear, .llama3: 1
      case .yarn(let factor, _, _, _, let own, _): Float(own ?? 0.1 * log(max(factor, 1)) + 1)
      case .longrope(_, _, _, let factor): Float(factor)
      }
    for position in 0..<maxPositions {
      for pair in 0..<pairs {
        // The product is rounded to float32 first, as the reference does; then exact cos and sin of
        // it.
        let angle = Double(Float(position) * frequencies[pair])
        cosines.base[position * pairs + pair] = Float(cos(angle)) * length
        sines.base[position * pairs + pair] = Float(sin(angle)) * length
      }
    }
  }

  /// Turns heads `heads` (default all) of rows `tokens` (default all) of `x` `[tokens, heads · d]`
  /// in place; row `t` stands at position `firstPosition + t`. Disjoint ranges may run on different
  /// threads.
  public func apply(
    _ x: MutableMatrixView<Float>, heads: Range<Int>? = nil, tokens: Range<Int>? = nil,
    firstPosition: Int
  ) {
    let tokens = tokens ?? 0..<x.rows
    let heads = heads ?? 0..<(x.columns / headDimension)
    precondition(
      tokens.lowerBound >= 0 && tokens.upperBound <= x.rows
        && heads.lowerBound >= 0 && heads.upperBound * headDimension <= x.columns,
      "rotary: tokens or heads outside the matrix")
    precondition(
      firstPosition >= 0 && firstPosition + tokens.upperBound <= maxPositions,
      "rotary: position outside the table of \(maxPositions)")
    let pairs = rotaryDimension / 2
    for token in tokens {
      let row = x.base + token * x.stride
      let cosine = cosines.base + (firstPosition + token) * pairs
      let sine = sines.base + (firstPosition + token) * pairs
      for head in heads {
        let vector = row + head * headDimension
        switch pairing {
        case .halfSplit: Self.turnHalves(vector, vector + pairs, cosine, sine, pairs)
        case .adjacent: Self.turnNeighbours(vector, cosine, sine, pairs)
        }
      }
    }
  }

  private static func turnHalves(
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>,
    _ cosine: UnsafePointer<Float>, _ sine: UnsafePointer<Float>, _ pairs: Int
  ) {
    for pair in 0..<pairs {
      let x = first[pair]
      let y = second[pair]
      first[pair] = x * cosine[pair] - y * sine[pair]
      second[pair] = y * cosine[pair] + x * sine[pair]
    }
  }

  private static func turnNeighbours(
    _ vector: UnsafeMutablePointer<Float>, _ cosine: UnsafePointer<Float>,
    _ sine: UnsafePointer<Float>, _ pairs: Int
  ) {
    for pair in 0..<pairs {
      let x = vector[2 * pair]
      let y = vector[2 * pair + 1]
      vector[2 * pair] = x * cosine[pair] - y * sine[pair]
      vector[2 * pair + 1] = y * cosine[pair] + x * sine[pair]
    }
  }

  /// `base^(−2i/n)` in float32, each step rounded (power, then reciprocal), then scaled.
  private static func frequencies(
    rotaryDimension: Int, base: Double, scaling: RotaryScaling, positions: Int
  ) throws -> [Float] {
    let unscaled = (0..<rotaryDimension / 2).map { pair -> Float in
      let exponent = Float(2 * pair) / Float(rotaryDimension)
      return 1 / Float(pow(Double(Float(base)), Double(exponent)))
    }
    switch scaling {
    case .none: return unscaled
    case .linear(let factor):
      guard factor.isFinite, factor > 0 else { throw badFactor("factor", factor) }
      return unscaled.map { $0 / Float(factor) }
    case .llama3(let factor, let low, let high, let original):
      guard factor.isFinite, factor > 0 else { throw badFactor("factor", factor) }
      guard low.isFinite, low > 0 else { throw badFactor("low_freq_factor", low) }
      guard high.isFinite, high > low else { throw badFactor("high_freq_factor", high) }
      guard original > 0 else {
        throw badFactor("original_max_position_embeddings", Double(original))
      }
      return unscaled.map { frequency in
        let wavelength = 2 * Float.pi / frequency
        if wavelength < Float(Double(original) / high) { return frequency }
        if wavelength > Float(Double(original) / low) { return frequency / Float(factor) }
        let blend = (Float(original) / wavelength - Float(low)) / Float(high - low)
        return (1 - blend) * frequency / Float(factor) + blend * frequency
      }
    case .yarn(let factor, let original, let fast, let slow, _, let truncates):
      guard factor.isFinite, factor > 0 else { throw badFactor("factor", factor) }
      guard original > 0 else {
        throw badFactor("original_max_position_embeddings", Double(original))
      }
      guard slow.isFinite, slow > 0, fast.isFinite, fast > 0 else {
        throw badFactor("beta_fast", fast)
      }
      let n = Double(rotaryDimension)
      // The pair that makes so many turns in the first context.
      func pair(_ turns: Double) -> Double {
        n * log(Double(original) / (turns * 2 * Double.pi)) / (2 * log(base))
      }
      var (low, high) = (pair(fast), pair(slow))
      if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
      low = max(low, 0)
      high = min(high, n - 1)
      if low == high { high += 0.001 }
      return unscaled.enumerated().map { index, frequency in
        let ramp = Float(min(max((Double(index) - low) / (high - low), 0), 1))
        return frequency / Float(factor) * ramp + frequency * (1 - ramp)
      }
    case .longrope(let short, let long, let original, _):
      let factors = positions > original ? long : short
      guard factors.count == unscaled.count, factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw LabError(
          .badData, "the factors of longrope do not fit a head", at: "rope_scaling",
          expected: "\(unscaled.count) positive numbers", got: "\(factors.count) numbers",
          advice: "check short_factor and long_factor in the model's configuration")
      }
      return unscaled.enumerated().map { $1 / factors[$0] }
    }
  }

  private static func badFactor(_ name: String, _ value: Double) -> LabError {
    LabError(
      .badData, "the rotary scaling parameter '\(name)' is out of range", at: "rope_scaling",
      expected: name == "high_freq_factor" ? "more than low_freq_factor" : "a positive number",
      got: "\(value)", advice: "check rope_scaling in the model's configuration")
  }
}
