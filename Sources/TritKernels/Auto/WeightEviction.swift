internal import CTritKernels
package import TritCore

/// Throws the memory of a prepared layer or head out of the caches.
package enum WeightEviction {
  /// The runs of bytes that `prepared` owns, wherever among its stored properties: any kernel can be
  /// measured from memory, also one that knows nothing of this.
  package static func memory(of prepared: Any) -> [any RawMemory] {
    var found: [any RawMemory] = []
    collect(prepared, depth: 4, into: &found)
    return found
  }

  /// False where this machine has no way.
  @discardableResult package static func evict(_ memory: [any RawMemory]) -> Bool {
    var isDone = true
    for run in memory {
      let bytes = run.rawBuffer
      guard let base = bytes.baseAddress else { continue }
      isDone = withExtendedLifetime(run) { tk_evict(base, bytes.count) != 0 } && isDone
    }
    return isDone
  }

  private static func collect(_ value: Any, depth: Int, into found: inout [any RawMemory]) {
    if let memory = value as? any RawMemory {
      if !found.contains(where: { $0 === memory }) { found.append(memory) }
      return
    }
    guard depth > 0 else { return }
    let mirror = Mirror(reflecting: value)
    // Long lists are of numbers, not of buffers.
    if mirror.displayStyle == .collection, mirror.children.count > 64 { return }
    for child in mirror.children { collect(child.value, depth: depth - 1, into: &found) }
  }
}
