import Foundation
import Synchronization
import TritCore

/// The probability with which the story generator gives a text.
///
/// Not that of the derivation that happened to give it (`Story.logProbability`): a text has as many
/// derivations as there are ways to draw what it never tells, and their probabilities add up. The
/// sum is exact but for float64 rounding (`DerivationSum` says how).
public enum StoryProbability {
  /// ln p(text) in nats; −∞ for a text that no story is.
  public static func logProbability(of text: String) -> Double {
    if let known = cache.withLock({ $0[text] }) { return known }
    let value = log(DerivationSum.probability(of: text) { StoryGenerator.tell(&$0) })
    cache.withLock { cache in
      if cache.count >= mostKept { cache.removeAll() }
      cache[text] = value
    }
    return value
  }

  /// The same for several texts, on all cores.
  public static func logProbabilities(of texts: [String]) -> [Double] {
    guard texts.count > 1 else { return texts.map(logProbability) }
    let pool = WorkerPool(threads: min(HostInformation.cores, texts.count, 16))
    return pool.map(count: texts.count, partsPerThread: WorkerPool.mostPartsPerThread) {
      logProbability(of: texts[$0])
    }
  }

  private static let mostKept = 20_000
  private static let cache = Mutex<[String: Double]>([:])
}
