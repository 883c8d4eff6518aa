import Synchronization
import TritCore
import TritKernels

/// Multiplies with a layer as an engine does, on threads that the arena knows.
final class ArenaRunner {
  let pool: WorkerPool
  /// Memory that is written to throw everything else out of the caches.
  private var broom: AlignedBuffer<UInt8>?
  private var stroke: UInt8 = 0

  init(threads: Int) { pool = WorkerPool(threads: threads, poll: 100) }

  /// One multiply: the input layout, then the rows split over the threads. Everything that a layer
  /// is asked is asked here, so that whatever it does for an answer is timed.
  func multiply(_ layer: any PreparedLinear, _ buffers: ArenaBuffers) {
    let (x, y) = (buffers.x, buffers.y)
    if let layout = layer.inputLayout {
      // Parts are built side by side in places of their own.
      nonisolated(unsafe) let base = x.buffer(for: layout).base
      pool.run(count: layout.parts(rows: x.rows, columns: x.columns), partsPerThread: 4) {
        range, _ in
        layout.build(range, from: x, into: base)
      }
      x.markBuilt(layout)
    }
    pool.run(count: layer.rows, alignment: layer.rowAlignment, partsPerThread: 4) { range, _ in
      layer.multiply(x, rows: range, into: y)
    }
  }

  /// The same, timed on three clocks.
  func timed(_ layer: any PreparedLinear, _ buffers: ArenaBuffers, _ clocks: ArenaClocks)
    -> ArenaClocks.Span
  {
    // A flush throws the clocks' own code out too: the first reading would take microseconds.
    _ = clocks.span(ArenaClocks.start(), ArenaClocks.end())
    let start = ArenaClocks.start()
    multiply(layer, buffers)
    return clocks.span(start, ArenaClocks.end())
  }

  /// Bytes that `flush` writes: twice the last cache.
  static var broomBytes: Int { min(max(2 * CacheSizes.here.last, 16 << 20), 512 << 20) }

  /// Throws the weights of `layer` out of all caches: those that are found line by line, and
  /// whatever else there is by writing more than the caches hold.
  func flush(_ memory: [any RawMemory]) {
    WeightEviction.evict(memory)
    let broom = broom ?? AlignedBuffer<UInt8>(count: Self.broomBytes)
    self.broom = broom
    stroke &+= 1
    broom.base.update(repeating: stroke, count: broom.count)
  }
}
