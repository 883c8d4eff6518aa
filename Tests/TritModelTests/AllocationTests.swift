import Testing
import TritLab
import _CAllocationCounter
import _TritTestSupport

@Suite(.enabled(if: allocation_counter_works())) struct AllocationTests {
  @Test func theCounterCounts() {
    let before = allocation_count()
    let list = Array(repeating: 1, count: 1000)
    #expect(list.count == 1000)
    #expect(allocation_count() > before)
  }

  /// One allocation a token would show as at least 20 here; warming up fills lazy buffers.
  @Test(
    arguments: [
      (TinyCheckpoint.Kind.bitnetPacked, "i2_s"), (.bitnetPacked, "tl2"),
      (.bitnetPacked, "reference"), (.bitnetPacked, "sparse_rows"),
      (.bitnetPacked, "sparse_columns"),
      (.llamaDense, "openblas"),
    ], [1, 2])
  func decodingAllocatesNothing(_ model: (TinyCheckpoint.Kind, String), threads: Int) throws {
    let folder = try TemporaryFolder("allocation")
    let path = try TinyCheckpoint.write(model.0, in: folder)
    let engine = try Engine(
      checkpoint: Checkpoint(path: path),
      selection: StageSelection(kernel: StageChoice(model.1)),
      options: EngineOptions(threads: threads))
    try engine.prefill([1, 2, 3])
    for token in 0..<4 { try engine.decode(token) }
    let before = allocation_count()
    for token in 0..<20 { try engine.decode(token) }
    #expect(allocation_count() - before == 0)
  }
}
