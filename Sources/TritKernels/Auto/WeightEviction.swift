internal import CTritKernels
package import TritCore

/// Throws the memory of a prepared layer or head out of the caches.
package enum WeightEviction {
  /// What to throw out before `layer` multiplies.
  package static func memory(of layer: any PreparedLinear) -> [any RawMemory] {
    memory(layer.memory)
  }

  /// What to throw out before `head` multiplies.
  package static func memory(of head: any PreparedHead) -> [any RawMemory] {
    memory(head.memory)
  }

  /// Where nothing is stated, other memory takes the caches.
  private static func memory(_ stated: [any RawMemory]) -> [any RawMemory] {
    stated.isEmpty ? [CacheFiller()] : stated
  }

  /// False where this machine has no way.
  @discardableResult package static func evict(_ memory: [any RawMemory]) -> Bool {
    var isDone = true
    for run in memory {
      if let filler = run as? CacheFiller {
        filler.fill()
        continue
      }
      let bytes = run.rawBuffer
      guard let base = bytes.baseAddress else { continue }
      isDone = withExtendedLifetime(run) { tk_evict(base, bytes.count) != 0 } && isDone
    }
    return isDone
  }
}

/// Memory to read instead of throwing other memory out: twice what the caches hold.
private final class CacheFiller: RawMemory {
  private let buffer: AlignedBuffer<UInt8>

  init() {
    buffer = AlignedBuffer(count: min(max(2 * CacheSizes.here.last, 8 << 20), 256 << 20))
    // Pages that were never written are all the system's one page of zeros, which a cache holds.
    buffer.base.update(repeating: 1, count: buffer.count)
  }

  var rawBuffer: UnsafeRawBufferPointer { buffer.rawBuffer }

  func fill() {
    let features = CPUFeatures.here.rawValue
    PeakMeter.use(tk_peak_read(buffer.base, buffer.count / 512 * 512, 0, features))
  }
}
