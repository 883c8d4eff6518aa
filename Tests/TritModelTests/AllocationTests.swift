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

  /// A model whose products, head and attention are large enough for several threads: each region
  /// is a value on the caller's stack.
  @Test(
    arguments: [
      ("i2_s", "exact", "flash"), ("int8", "int8", "flash"), ("i2_s", "screened", "streaming"),
      ("sparse_rows", "f16", "naive"),
    ], [2, 3])
  func decodingOnSeveralThreadsAllocatesNothing(
    _ stages: (kernel: String, head: String, attention: String), threads: Int
  ) throws {
    let engine = try Engine(
      checkpoint: Checkpoint(path: try ModelLocation.resolve("builtin:storyteller")),
      selection: StageSelection(
        kernel: StageChoice(stages.kernel), attention: StageChoice(stages.attention),
        head: StageChoice(stages.head)),
      options: EngineOptions(threads: threads, maxContext: 1200))
    try engine.prefill((0..<1100).map { 10 + $0 })
    for token in 0..<4 { try engine.decode(token + 10) }
    let before = allocation_count()
    for token in 0..<20 { try engine.decode(token + 20) }
    #expect(allocation_count() - before == 0)
  }

  /// Nor does a prompt, once its buffers are there, by kernels that do not expand weights in a
  /// scratch of their own.
  @Test(arguments: ["tl2", "reference"], [1, 2])
  func promptsAllocateNothing(kernel: String, threads: Int) throws {
    let engine = try Engine(
      checkpoint: Checkpoint(path: try ModelLocation.resolve("builtin:storyteller")),
      selection: StageSelection(kernel: StageChoice(kernel)),
      options: EngineOptions(threads: threads, chunk: 32))
    let prompt = (0..<70).map { 10 + $0 }
    try engine.prefill(prompt)
    engine.reset()
    try engine.prefill(prompt)
    engine.reset()
    let before = allocation_count()
    try engine.prefill(prompt)
    #expect(allocation_count() - before == 0)
  }
}
