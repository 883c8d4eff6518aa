import TritCore
import TritKernels

/// What the machine can do at most, measured in the same contest again and again: the best that was
/// seen.
package final class ArenaRoofs {
  private let meter: PeakMeter
  /// Multiplications and additions a second, int8, in multiply-adds.
  package private(set) var operations = 0.0
  /// Bytes a second from memory.
  package private(set) var memory = 0.0
  private var cached: [Int: Double] = [:]

  package init(threads: Int) { meter = PeakMeter(threads: threads) }

  /// Measures once more; neighbours only take away, so the best counts.
  package func measure(fromMemory: Bool, seconds: Double) {
    operations = max(operations, meter.integerPeak(seconds: seconds) ?? 0)
    if fromMemory {
      let reading = meter.read(bytes: PeakMeter.memoryBytes, seconds: 2 * seconds)
      memory = max(memory, reading.bytesPerSecond)
    }
  }

  /// Bytes a second that `bytes` are read with.
  private func reading(_ bytes: Int, fromMemory: Bool) -> Double {
    if fromMemory { return memory }
    var size = 1 << 14
    while size < bytes, size < PeakMeter.memoryBytes { size *= 2 }
    if let known = cached[size] { return known }
    let speed = meter.read(bytes: size, seconds: 0.02).bytesPerSecond
    cached[size] = speed
    return speed
  }

  /// The roof that a multiply comes nearest to, and the share of it.
  package func share(_ product: ArenaCase, seconds: Double, bytes: Int, fromMemory: Bool) -> (
    name: String, share: Double
  ) {
    let compute = operations > 0 ? product.operations / seconds / operations : 0
    let speed = reading(bytes, fromMemory: fromMemory)
    let read = speed > 0 ? Double(bytes) / seconds / speed : 0
    return compute > read ? ("int8", compute) : ("read", read)
  }

  /// What no kernel is faster than, in seconds, and why.
  ///
  /// From memory, an exact kernel reads at least log₂ 3 bits a weight (random trits have no shorter
  /// form). And a core makes at most so many products: kernels that look up three trits at once
  /// make 96 of them an instruction beside the 64 of a multiply-add, on ports of their own, which
  /// together is 2.5 times the peak of multiply-adds.
  package func floor(_ product: ArenaCase, fromMemory: Bool) -> (seconds: Double, why: String) {
    let compute =
      operations > 0 ? product.operations / (Self.lookupFactor * operations) : 0
    let read = fromMemory && memory > 0 ? product.leastBytes / memory : 0
    return read > compute
      ? (
        read, "reading log₂ 3 bits a weight at \(Self.giga(memory)) GB/s, the roof of this contest"
      )
      : (
        compute,
        "\(Self.lookupFactor) times the int8 peak of this contest, \(Self.giga(operations)) Gop/s"
      )
  }

  private static let lookupFactor = 2.5
  /// Roofs are measured too: a time must be below the floor by more than this share of it.
  package static let noise = 0.15

  private static func giga(_ value: Double) -> String { "\((value * 1e-8).rounded() / 10)" }

  /// What is wrong with a time; nil where the machine allows it.
  package func fault(_ product: ArenaCase, seconds: Double, fromMemory: Bool) -> String? {
    let floor = floor(product, fromMemory: fromMemory)
    guard seconds < (1 - Self.noise) * floor.seconds else { return nil }
    return "\(product): \(Self.micro(seconds)) µs is faster than the machine allows, "
      + "\(Self.micro(floor.seconds)) µs: \(floor.why)"
  }

  private static func micro(_ seconds: Double) -> String { "\((seconds * 1e7).rounded() / 10)" }

  /// Roofs as a test gives them.
  package func assume(operations: Double, memory: Double) {
    self.operations = operations
    self.memory = memory
  }
}
