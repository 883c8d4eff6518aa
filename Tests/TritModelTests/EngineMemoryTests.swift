import Testing
import TritLab
import _TritTestSupport

import TritAttention
import TritCore
import TritModel

/// What an engine says it takes beside its weights is what it has allocated, found by looking at
/// all of its objects.
@Suite struct EngineMemoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("memory") }

  /// Bytes of all buffers that `value` reaches, each once.
  private func bytes(of value: Any) -> Int {
    var seen: Set<ObjectIdentifier> = []
    func walk(_ value: Any, _ depth: Int) -> Int {
      if let memory = value as? any RawMemory {
        return seen.insert(ObjectIdentifier(memory)).inserted ? memory.rawBuffer.count : 0
      }
      let mirror = Mirror(reflecting: value)
      if mirror.displayStyle == .class {
        guard seen.insert(ObjectIdentifier(value as AnyObject)).inserted else { return 0 }
      }
      guard depth > 0 else { return 0 }
      return mirror.children.reduce(0) { $0 + walk($1.value, depth - 1) }
    }
    return walk(value, 8)
  }

  /// What the engine's stored property `name` holds.
  private func property(_ name: String, of engine: Engine) throws -> Any {
    try #require(Mirror(reflecting: engine).children.first { $0.label == name }?.value)
  }

  private func check(_ engine: Engine, _ what: String) throws {
    // Buffers that are made at their first use: a whole chunk, then single tokens.
    try engine.prefill(Array(repeating: 5, count: min(40, engine.contextLength - 2)))
    try engine.decode(6)
    let memory = engine.memory
    #expect(
      bytes(of: try property("workspace", of: engine)) == memory.workspace + memory.kernels,
      "\(what)")
    #expect(bytes(of: try property("cache", of: engine)) == memory.cache, "\(what)")
    #expect(bytes(of: try property("rotary", of: engine)) == memory.rotary, "\(what)")
    #expect(memory.total == memory.workspace + memory.kernels + memory.cache + memory.rotary)
  }

  private func engine(
    _ selection: StageSelection, threads: Int, _ kind: TinyCheckpoint.Kind = .bitnetPacked
  ) throws -> Engine {
    try Engine(
      checkpoint: Checkpoint(path: TinyCheckpoint.write(kind, in: folder)), selection: selection,
      options: EngineOptions(threads: threads, maxContext: 200, chunk: 32))
  }

  @Test(arguments: Registry<any Attention>.standard.names, [1, 3])
  func everyAttentionAndCache(attention: String, threads: Int) throws {
    for cache in Registry<any KVCacheKind>.standard.names {
      try check(
        engine(
          StageSelection(
            kernel: StageChoice("reference"), attention: StageChoice(attention),
            cache: StageChoice(cache)), threads: threads), "\(attention), \(cache)")
    }
  }

  /// Partial results of a query that is cut over positions are much of it: more threads than one
  /// have them.
  @Test func partialResultsCount() throws {
    let alone = try engine(StageSelection(), threads: 1).memory.workspace
    let scratch = try engine(
      StageSelection(attention: StageChoice("streaming")), threads: 2
    ).memory.workspace
    let split = try engine(StageSelection(attention: StageChoice("flash")), threads: 2)
    #expect(split.memory.workspace > alone)
    #expect(split.memory.workspace != scratch)
  }

  @Test(arguments: [
    "i2_s", "tl1", "tl2", "int8", "sparse_columns", "dequantize", "reference-f32", "openblas",
  ])
  func everyLayoutOfActivations(kernel: String) throws {
    for activations in ["int8", "none", "hadamard-int4"] {
      let selection = StageSelection(
        activations: StageChoice(activations), kernel: StageChoice(kernel))
      // Pairs that are no pairs.
      guard let engine = try? engine(selection, threads: 2) else { continue }
      try check(engine, "\(kernel), \(activations)")
    }
  }

  @Test(arguments: Registry<any OutputHead>.standard.names)
  func everyHead(head: String) throws {
    let selection = StageSelection(kernel: StageChoice("i2_s"), head: StageChoice(head))
    try check(engine(selection, threads: 2, .llamaPacked), head)
  }

  /// The check refuses what is a byte too much, and names the parts.
  @Test func whatDoesNotFitIsRefused() throws {
    let memory = try engine(StageSelection(), threads: 2).memory
    try memory.check(memory: memory.total)
    let error = #expect(throws: LabError.self) { try memory.check(memory: memory.total - 1) }
    #expect(error?.got?.contains("KV cache") == true)
    #expect(error?.advice?.contains("-c") == true)
  }
}
