/// The entropy of the story source, estimated by Monte Carlo over stories.
///
/// For a story `s` the probability of its text is known exactly (`StoryProbability`), so
/// `E[−ln p] / E[bytes]` is the entropy rate per byte of the stream. The estimate is the ratio of
/// the sums over `stories` stories; its standard error is that of a ratio estimator,
/// `√(Σ (h_i − r b_i)² / (n (n − 1))) / b̄`. For `h_i` it takes the sum of the entropies of the
/// choices met (`Story.pathEntropy`) minus what the derivation says beyond the text (ln p(text) −
/// ln p(derivation)): its expectation is the same and its variance is smaller.
public struct StoryEntropy: Sendable {
  /// Stories that were generated.
  public let stories: Int
  /// Their bytes in all, without separators.
  public let bytes: Int
  /// Their entropy in all, in nats.
  public let nats: Double
  /// `−Σ ln p(text)` of exactly these stories, in nats: the loss that the source itself has on
  /// them, and so the floor of a model on this very sample, where `nats` estimates the expectation.
  public let surprisal: Double
  /// What the derivations of these stories say beyond their texts, in nats: `−Σ ln p(derivation)`
  /// is more by this.
  public let untold: Double
  /// Standard error of `natsPerByte`.
  public let standardError: Double

  /// Nats per byte of the source.
  public var natsPerByte: Double { nats / Double(bytes) }
  /// Bits per byte of exactly these stories: their floor, which no vocabulary changes.
  public var surprisalBitsPerByte: Double { surprisal / Double(bytes) / 0.693_147_180_559_945_3 }
  /// Nats of a story.
  public var natsPerStory: Double { nats / Double(stories) }
  /// Bits per byte of the source.
  public var bitsPerByte: Double { natsPerByte / 0.693_147_180_559_945_3 }

  /// Measures `count` stories of `generator` (at least 2).
  public init(of generator: StoryGenerator, stories count: Int) {
    self.init((0..<max(2, count)).lazy.map(Streamed(generator).story))
  }

  /// Measures given stories (of a single one there is no standard error: NaN): the exact floor of a
  /// test set is its own stories' sum. Of the stories after the first `summed` the derivations are
  /// not summed, which takes some ten milliseconds each: what those say beyond the text is taken to
  /// be the same share as before, so that `surprisal` is then an estimate too.
  public init(_ stories: some Sequence<Story>, summed: Int = .max) {
    let stories = Array(stories)
    let first = stories.prefix(max(summed, 1))
    let probabilities = StoryProbability.logProbabilities(of: first.map(\.text))
    let gaps = zip(first, probabilities).map { $1 - $0.logProbability }
    let share = gaps.reduce(0, +) / -first.reduce(0) { $0 + $1.logProbability }
    var samples: [(nats: Double, bytes: Double)] = []
    var (surprisal, untold) = (0.0, 0.0)
    for (index, story) in stories.enumerated() {
      let gap = index < gaps.count ? gaps[index] : -story.logProbability * share
      let probability = story.logProbability + gap
      samples.append((story.pathEntropy - gap, Double(story.byteCount)))
      surprisal -= probability
      untold += gap
    }
    let total = samples.reduce(0) { $0 + $1.nats }
    let length = samples.reduce(0) { $0 + $1.bytes }
    let ratio = total / length
    let squares = samples.reduce(0) { sum, sample in
      let residual = sample.nats - ratio * sample.bytes
      return sum + residual * residual
    }
    let n = Double(samples.count)
    self.stories = samples.count
    bytes = Int(length)
    nats = total
    self.surprisal = surprisal
    self.untold = untold
    standardError = (squares / (n * (n - 1))).squareRoot() / (length / n)
  }

  /// The floor of a model's loss in nats per token, for a tokenizer that makes `tokens` tokens of
  /// the measured stories (separators included, which cost nothing where the end of a story is
  /// certain, and are paid for by the story's own choices where it is not).
  public func natsPerToken(tokens: Int) -> Double { nats / Double(tokens) }
}

/// Stories of a stream by index.
private struct Streamed {
  let generator: StoryGenerator
  init(_ generator: StoryGenerator) { self.generator = generator }
  func story(_ index: Int) -> Story {
    var copy = generator
    copy.position &+= UInt64(index)
    return copy.next()
  }
}
