import TritAttention
public import TritCore
import TritFormats
import TritKernels
public import TritTokenization

/// How an engine runs, apart from which stages it has.
public struct EngineOptions: Sendable {
  /// Threads, the caller's included.
  public var threads: Int
  /// How eagerly idle workers spin, 0…100.
  public var poll: Int
  /// Positions that the KV cache holds; nil is the model's context, at most 4096.
  public var maxContext: Int?
  /// Tokens of a prompt that go through the blocks together.
  public var chunk: Int
  /// Where prepared weights are kept for the next start; nil keeps none.
  public var images: WeightImages?
  /// Whether the tokenizer is read; without it ids alone can be run.
  public var readsTokenizer = true

  /// The defaults: two threads at most, the model's context up to 4096, chunks of 512 tokens.
  public init(threads: Int = 2, poll: Int = 50, maxContext: Int? = nil, chunk: Int = 512) {
    self.threads = threads
    self.poll = poll
    self.maxContext = maxContext
    self.chunk = chunk
  }
}

/// Receives intermediates by name while a forward pass runs: `blk.3.ffn_norm` and the like, as
/// `[tokens, width]`, valid during the call.
public typealias Probe = (_ name: String, _ values: MatrixView<Float>) -> Void

/// A model with one choice for every stage, ready to run.
///
/// Positions are added by `prefill` and `decode` and forgotten by `reset`. One caller at a time;
/// the engine spreads each step over its own threads. Every output element is computed whole by one
/// thread, so results do not depend on how many there are.
public final class Engine: LanguageModel {
  /// Shape and constants of the model.
  public let configuration: ModelConfiguration
  /// What it computes.
  public var plan: ModelPlan { source.plan }
  /// The choices that the engine was made from.
  public let selection: StageSelection
  /// Where names were looked up, and those of sampling chains still are.
  public let lab: Lab
  /// What every linear layer runs with.
  public let layers: [LayerReport]
  /// The output head that runs.
  public let headReport: (kernel: String, bytes: Int)
  /// Where the model came from.
  public let path: String
  /// The files of prepared weights that it started from (`EngineOptions.images`).
  public let imagePaths: [String]
  /// Text to ids and back; where the checkpoint has none, its methods throw an error that says so.
  public let tokenizer: any Tokenizer
  /// What a user must know before trusting the tokens; programs show it once.
  public let notes: [String]
  /// Number of logits a position.
  public var vocabularySize: Int { configuration.vocabularySize }
  /// Positions that fit the cache.
  public var contextLength: Int { cache.capacity }
  /// Threads that work.
  public var threads: Int { pool.threads }
  /// Positions in the cache.
  public private(set) var position = 0
  /// Time by stage since `resetTimes`.
  public internal(set) var times = StageTimes()
  /// Called with every intermediate while set; costs nothing while nil.
  public var probe: Probe?

  /// Bytes of everything beside the weights.
  package let memory: EngineMemory
  let pool: WorkerPool
  let blocks: [Block]
  let embedding: EmbeddingTable
  let finalNorm: AlignedBuffer<Float>
  let head: any PreparedHead
  let headTensor: String
  let cache: any KVCache
  /// The rotary tables: of all layers, and of those with a base of their own.
  let rotary: [RotaryEmbedding]
  let workspace: Workspace
  let steps: ParallelSteps
  let schedule: Schedule
  private let source: Checkpoint

  /// Assembles `checkpoint` with the stages of `selection`. Throws usage errors for names and pairs
  /// that do not work, and `badData` for weights that cannot be read.
  public init(
    checkpoint: Checkpoint, selection: StageSelection = StageSelection(),
    lab: Lab = .stages, options: EngineOptions = EngineOptions()
  ) throws {
    guard (1...1024).contains(options.threads) else {
      throw LabError(
        .usage, "the number of threads is out of range", expected: "1…1024",
        got: "\(options.threads)")
    }
    configuration = checkpoint.configuration
    let selection = selection.completed(by: lab)
    self.selection = selection
    self.lab = lab
    path = checkpoint.path
    source = checkpoint
    let trained = configuration.contextLength
    let context = options.maxContext ?? min(trained, 4096)
    guard context >= 1 else {
      throw LabError(
        .usage, "the context is out of range", expected: "1…\(trained)", got: "\(context)")
    }
    var resolver = try LayerResolver(
      checkpoint: checkpoint, selection: selection, lab: lab)
    let attention = try LayerAttentions.capped(
      lab[.attention].make(selection.attention), configuration)
    let attentions = try LayerAttentions(attention, configuration, context: context)
    let chunk = max(1, min(options.chunk, context))
    var memory = EngineMemory(
      checkpoint.plan, context: context, chunk: chunk, threads: options.threads,
      attention: attention)
    try memory.check()
    cache = try lab[.cache].make(selection.cache).make(
      layers: configuration.layers, heads: configuration.keyValueHeads,
      headDimension: configuration.headDimension, capacity: context)
    // Large caches take memory as they are written: there is still time to say no.
    memory.cache = cache.byteCount
    try memory.check()
    rotary = try configuration.rotaryEmbeddings(
      frequencyFactors: try checkpoint.ropeFrequencyFactors(), positions: context)
    pool = WorkerPool(threads: options.threads, poll: options.poll)
    let conditions = AutoKernel.Conditions.model(
      weights: configuration.linearWeights, threads: options.threads)
    if conditions.fromMemory { StreamingForm.settle() }
    resolver.conditions = conditions
    let weights = try EngineWeights(resolver: resolver, on: pool, images: options.images)
    (blocks, layers, head) = (weights.blocks, weights.reports, weights.head)
    imagePaths = weights.images
    memory.kernels = Workspace.lazyBytes(blocks, configuration, tokens: chunk)
    try memory.check()
    self.memory = memory
    let zeros = try ZeroWeights.notes(
      layers, isRequantized: selection.quantizer != nil, path: path)
    finalNorm = AlignedBuffer(try checkpoint.finalNorm())
    embedding = try EmbeddingTable(checkpoint.embeddingName, in: checkpoint.source)
    headReport = (head.kernel, head.weightBytes)
    let told: [String]
    (tokenizer, told) =
      options.readsTokenizer
      ? try Self.tokenizer(of: checkpoint) : (MissingTokenizer.notRead(checkpoint.path), [])
    notes = told + zeros + (options.images?.notes ?? [])
    headTensor = checkpoint.headName
    workspace = Workspace(memory.layout)
    steps = ParallelSteps(
      pool: pool, configuration: configuration, cache: cache, head: head, workspace: workspace)
    let rotary = rotary
    schedule = Schedule(
      checkpoint.plan, blocks, on: workspace, cache: cache, attention: { attentions[$0] },
      rotary: { [configuration] in rotary[configuration.hasLocalRotation(layer: $0) ? 1 : 0] })
    (checkpoint.source as? GGUFFile)?.releaseHeader()
    // What loading kept to use again.
    LargeMemory.drop()
  }

  /// Forgets all positions.
  public func reset() { position = 0 }

  /// Sets all stage times to zero.
  public func resetTimes() { times = StageTimes() }

  /// The kind of KV cache that runs.
  public var cacheName: String { cache.name }

  /// How many logits a head that screens has computed exactly, and for how many tokens, since the
  /// engine was made; nil for other heads.
  public var rescored: (rows: Int, tokens: Int)? {
    (head as? any ScreeningHead).map { ($0.rescoredRows, $0.finishedTokens) }
  }

  /// Bytes of weights, scales and head that one decoded token reads, the KV cache apart (see
  /// `readsAllWeights`).
  public var weightBytes: Int { layers.reduce(headReport.bytes) { $0 + $1.bytes } }

  /// Whether every token reads all of `weightBytes`; else they are the most that it may read, since
  /// a kernel leaves out what is zero.
  public var readsAllWeights: Bool { layers.allSatisfy { $0.skips == .none } }

  /// Bytes of the KV cache that one position takes.
  public var cacheBytesPerPosition: Int { cache.bytesPerPosition }

  /// Runs `tokens` after the positions already there and returns the logits after the last one;
  /// valid until the next call. Throws for no tokens, ids outside the vocabulary, and a full
  /// context.
  @discardableResult
  public func prefill(_ tokens: [Int]) throws -> UnsafeBufferPointer<Float> {
    try forEachChunk(of: tokens) { _, _ in }
    let last = (tokens.count - 1) % workspace.tokens
    return logits(rows: last..<(last + 1)).row(0)
  }

  /// Runs `tokens` after the positions already there, chunk by chunk; the stream holds the states
  /// of one while `body` is given its first token's index and their number. Throws as `prefill`.
  func forEachChunk(of tokens: [Int], _ body: (_ start: Int, _ count: Int) throws -> Void) throws {
    guard !tokens.isEmpty else {
      throw LabError(
        .badData, "there is nothing to run: the prompt has no tokens",
        expected: "at least one token",
        advice: "give a prompt, or let the tokenizer put its begin-of-text token in front")
    }
    try check(tokens)
    var start = 0
    while start < tokens.count {
      try Interruption.check()
      let end = min(start + workspace.tokens, tokens.count)
      try forward(tokens[start..<end], first: position)
      position += end - start
      try body(start, end - start)
      start = end
    }
  }

  /// Runs one token after the positions already there and returns the logits; valid until the next
  /// call. Allocates nothing.
  @discardableResult
  public func decode(_ token: Int) throws -> UnsafeBufferPointer<Float> {
    try check(token, at: position)
    try forward(CollectionOfOne(token), first: position)
    position += 1
    return logits(rows: 0..<1).row(0)
  }

  /// Runs `tokens` from an empty cache and hands out the logits after each position from `first`
  /// on.
  public func forEachLogits(
    of tokens: [Int], from first: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forEachLogits(of: tokens, from: first, keeping: 0, body)
  }

  /// The same, without running the first `kept` tokens again: the cache still holds them, since the
  /// run before had the same ones there. More than the cache holds is not taken.
  public func forEachLogits(
    of tokens: [Int], from first: Int, keeping kept: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    position = max(0, min(kept, position, first, tokens.count))
    try check(tokens, from: position)
    var start = position
    while start < tokens.count {
      try Interruption.check()
      let end = min(start + workspace.tokens, tokens.count)
      try forward(tokens[start..<end], first: position)
      position += end - start
      var row = max(first, start)
      while row < end {
        let count = min(workspace.headTokens, end - row)
        let values = logits(rows: (row - start)..<(row - start + count))
        for index in 0..<count { try body(row + index, values.row(index)) }
        row += count
      }
      start = end
    }
  }

  /// Checks the tokens of a sequence of which the cache holds the first `held`.
  private func check(_ tokens: [Int], from held: Int) throws {
    guard tokens.count <= contextLength else { throw overflow(needed: tokens.count) }
    for index in held..<tokens.count where !(0..<vocabularySize).contains(tokens[index]) {
      throw outside(tokens[index], at: index)
    }
  }

  private func check(_ tokens: [Int]) throws {
    guard position + tokens.count <= contextLength else {
      throw overflow(needed: position + tokens.count)
    }
    for (index, token) in tokens.enumerated() where !(0..<vocabularySize).contains(token) {
      throw outside(token, at: index)
    }
  }

  private func check(_ token: Int, at index: Int) throws {
    guard position < contextLength else { throw overflow(needed: position + 1) }
    guard (0..<vocabularySize).contains(token) else { throw outside(token, at: index) }
  }

  private func overflow(needed: Int) -> LabError {
    LabError(
      .badData, "the context is full", expected: "at most \(contextLength) positions",
      got: "\(needed)",
      advice:
        "shorten the text or raise the context with -c (trained for \(configuration.contextLength))"
    )
  }

  private func outside(_ token: Int, at index: Int) -> LabError {
    LabError(
      .badData, "a token is outside the vocabulary", at: "token \(index)",
      expected: "0…\(vocabularySize - 1)", got: "\(token)",
      advice: "tokenizer and model do not belong together")
  }
}
