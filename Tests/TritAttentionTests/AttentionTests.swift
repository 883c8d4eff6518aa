import Testing
import TritLab

@Suite struct AttentionTests {
  @Test(arguments: ["naive", "streaming", "flash"]) func obeysTheLaws(name: String) throws {
    let attention = try Registry<any Attention>.standard.make(StageChoice(name))
    #expect(attention.name == name)
    #expect(checkAttention(attention).map(\.description) == [])
  }

  @Test(arguments: [1, 7, 64, 100, 1000]) func slidingObeysTheLaws(window: Int) throws {
    let attention = try Registry<any Attention>.standard.make(
      StageChoice("sliding", ["window": .integer(window)]))
    #expect(checkAttention(attention, window: window).map(\.description) == [])
  }

  /// Scores capped softly, alone and within a window; the cap is low enough to bend most of them.
  @Test(arguments: ["naive", "streaming", "flash"], [nil, 7] as [Int?])
  func cappedScoresObeyTheLaws(name: String, window: Int?) throws {
    let attention = try Registry<any Attention>.standard.make(StageChoice(name))
    let narrow =
      try window.map {
        try #require(attention as? any WindowedAttention).limited(to: $0)
      } ?? attention
    let capped = try #require(narrow as? any CappedAttention).capped(at: 5)
    #expect(checkAttention(capped, window: window, cap: 5).map(\.description) == [])
    // The checker tells caps apart.
    #expect(!checkAttention(narrow, window: window, cap: 5).isEmpty)
    #expect(!checkAttention(capped, window: window).isEmpty)
  }

  @Test func theCheckerFindsAForgottenMask() {
    #expect(!checkAttention(Broken(fault: .seesTheFuture)).isEmpty)
    #expect(!checkAttention(Broken(fault: .wrongScale)).isEmpty)
    #expect(!checkAttention(Broken(fault: .silentProbe)).isEmpty)
    // Full attention is not sliding attention, and the checker tells them apart.
    #expect(!checkAttention(StreamingAttention(), window: 7).isEmpty)
    #expect(!checkAttention(FlashAttention(window: 7)).isEmpty)
    #expect(!checkAttention(WrongFold()).isEmpty)
  }

  /// Every instruction set that this CPU has; none is plain C.
  @Test(arguments: [[], .avx2, .avx512] as [CPUFeatures]) func flashObeysTheLawsOn(
    features: CPUFeatures
  ) {
    #expect(checkAttention(FlashAttention(features: features)).map(\.description) == [])
  }

  @Test(arguments: [1, 7, 64, 100]) func streamingWithAWindowObeysTheLaws(window: Int) {
    #expect(checkAttention(StreamingAttention(window: window), window: window).isEmpty)
  }

  /// A cache that only gives float32 rows, as somebody else's might.
  private final class PlainCache: KVCache {
    let inner: any KVCache
    init(_ inner: any KVCache) { self.inner = inner }
    var name: String { "plain" }
    var capacity: Int { inner.capacity }
    var heads: Int { inner.heads }
    var headDimension: Int { inner.headDimension }
    var bytesPerPosition: Int { inner.bytesPerPosition }
    func store(layer: Int, first: Int, keys: MatrixView<Float>, values: MatrixView<Float>) {
      inner.store(layer: layer, first: first, keys: keys, values: values)
    }
    func loadKeys(
      layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
    ) { inner.loadKeys(layer: layer, head: head, positions: positions, into: output) }
    func loadValues(
      layer: Int, head: Int, positions: Range<Int>, into output: UnsafeMutablePointer<Float>
    ) { inner.loadValues(layer: layer, head: head, positions: positions, into: output) }
  }

  private func attend(
    _ attention: any Attention, _ cache: any KVCache, _ queries: Matrix<Float>, heads: Int,
    first: Int
  ) -> [Float] {
    let context = AttentionContext(
      layer: 0, firstPosition: first, heads: heads, headDimension: cache.headDimension)
    let output = Matrix<Float>(rows: queries.rows, columns: queries.columns)
    let scratch = AlignedBuffer<Float>(
      count: attention.scratchCount(
        context: context, capacity: cache.capacity, tokens: queries.rows))
    attention.attend(
      queries.view, context: context, cache: cache, heads: 0..<heads, scratch: scratch.base,
      into: output.mutableView, probe: nil)
    return withExtendedLifetime((queries, scratch)) { Array(output.storage.buffer) }
  }

  private func filled(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
    var random = SeededRandom(seed: seed)
    let matrix = Matrix<Float>(rows: rows, columns: columns)
    for index in 0..<rows * columns { matrix.storage[index] = Float(random.uniform() * 4 - 2) }
    return matrix
  }

  // Widening is exact and sums have one order: reading in place and reading float32 rows give the
  // same bits. (int8 multiplies by its scale at another place.)
  @Test(arguments: ["f32", "f16", "bf16"]) func aCacheReadInPlaceAndAPlainOneGiveTheSameBits(
    name: String
  ) throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice(name))
    for tokens in [1, 40] {
      let total = 300 + tokens
      let cache = try kind.make(layers: 1, heads: 2, headDimension: 48, capacity: total)
      let keys = filled(total, 96, seed: 3)
      let values = filled(total, 96, seed: 4)
      cache.store(layer: 0, first: 0, keys: keys.view, values: values.view)
      withExtendedLifetime((keys, values)) {}
      let queries = filled(tokens, 4 * 48, seed: 5)
      let direct = attend(FlashAttention(), cache, queries, heads: 4, first: 300)
      let plain = attend(FlashAttention(), PlainCache(cache), queries, heads: 4, first: 300)
      #expect(direct == plain)
    }
  }

  // Scores overflow to -inf for the whole first tile (and, for the last query, for all but one
  // position).
  @Test(arguments: ["naive", "streaming", "flash"]) func aTileOfMinusInfinityIsNotNaN(
    name: String
  ) throws {
    let attention = try Registry<any Attention>.standard.make(StageChoice(name))
    let cache = try FloatKVCache(layers: 1, heads: 1, headDimension: 16, capacity: 330)
    let keys = Matrix<Float>(rows: 330, columns: 16)
    let values = filled(330, 16, seed: 6)
    for position in 0..<330 {
      keys[position, 0] = position < 70 || position >= 200 ? -1e30 : 0
      keys[position, 1] = Float(position % 7)
    }
    cache.store(layer: 0, first: 0, keys: keys.view, values: values.view)
    withExtendedLifetime((keys, values)) {}
    let queries = Matrix<Float>(rows: 10, columns: 16)
    for row in 0..<10 {
      queries[row, 0] = 1e30
      queries[row, 1] = 1
    }
    let got = attend(attention, cache, queries, heads: 1, first: 320)
    #expect(got.allSatisfy { $0.isFinite })
    // The formula over the positions that have a finite score.
    let weights = (70..<200).map { Float(expOf(Double($0 % 7) / 4)) }
    let sum = weights.reduce(0, +)
    for index in 0..<16 {
      let expected = zip(weights, 70..<200).map { $0 * values[$1, index] }.reduce(0, +) / sum
      #expect(abs(got[index] - expected) < 1e-5)
    }
  }

  private func expOf(_ x: Double) -> Double {
    // The series; 20 terms are exact to double precision below 2.
    (0..<20).reversed().reduce(1.0) { 1 + $0 * x / Double($1 + 1) }
  }

  /// Flash attention that forgets the last span.
  private struct WrongFold: SplitAttention {
    let name = "broken"
    private let inner = FlashAttention()
    func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
      inner.scratchCount(context: context, capacity: capacity, tokens: tokens)
    }
    func attend(
      _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
      heads: Range<Int>, scratch: UnsafeMutablePointer<Float>,
      into output: MutableMatrixView<Float>, probe: AttentionProbe?
    ) {
      inner.attend(
        queries, context: context, cache: cache, heads: heads, scratch: scratch, into: output,
        probe: probe)
    }
    func spans(position: Int) -> Range<Int> { inner.spans(position: position) }
    func partialCount(group: Int, headDimension: Int) -> Int {
      inner.partialCount(group: group, headDimension: headDimension)
    }
    func attend(
      _ query: MatrixView<Float>, context: AttentionContext, cache: any KVCache, keyHead: Int,
      span: Int, scratch: UnsafeMutablePointer<Float>, into partial: UnsafeMutablePointer<Float>
    ) {
      inner.attend(
        query, context: context, cache: cache, keyHead: keyHead, span: span, scratch: scratch,
        into: partial)
    }
    func fold(
      _ partials: UnsafeMutablePointer<Float>, count: Int, group: Int, headDimension: Int,
      into output: UnsafeMutablePointer<Float>
    ) {
      inner.fold(
        partials, count: max(1, count - 1), group: group, headDimension: headDimension,
        into: output)
    }
  }

  @Test func aWindowBelowOneIsAUsageError() {
    #expect {
      try Registry<any Attention>.standard.make(StageChoice("sliding", ["window": .integer(0)]))
    } throws: { ($0 as? LabError)?.kind == .usage }
  }

  /// Naive attention with one mistake.
  private struct Broken: Attention {
    enum Fault { case seesTheFuture, wrongScale, silentProbe }
    let fault: Fault
    let name = "broken"
    private let inner = NaiveAttention()

    init(fault: Fault) { self.fault = fault }

    func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
      inner.scratchCount(context: context, capacity: capacity, tokens: tokens)
    }

    func attend(
      _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
      heads: Range<Int>, scratch: UnsafeMutablePointer<Float>,
      into output: MutableMatrixView<Float>, probe: AttentionProbe?
    ) {
      var context = context
      if fault == .seesTheFuture { context.firstPosition += 1 }
      if fault == .wrongScale { context.scale *= 1.001 }
      inner.attend(
        queries, context: context, cache: cache, heads: heads, scratch: scratch, into: output,
        probe: fault == .silentProbe ? nil : probe)
    }
  }
}

@Suite struct KVCacheTests {
  @Test(arguments: ["f32", "f16", "bf16", "int8"]) func obeysTheLaws(name: String) throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice(name))
    #expect(kind.name == name)
    #expect(checkKVCache(kind).map(\.description) == [])
  }

  @Test(arguments: AutoKVCacheKind.Loss.allCases) func autoLosesNoMoreThanItMay(
    loss: AutoKVCacheKind.Loss
  ) throws {
    let registry = Registry<any KVCacheKind>.standard
    let kind = try registry.make(StageChoice(parsing: "auto:loss=\(loss.rawValue)"))
    let cache = try kind.make(layers: 2, heads: 3, headDimension: 16, capacity: 100)
    let allowed = ["f32", "f16", "bf16", "int8"]
    let count: [AutoKVCacheKind.Loss: Int] = [.none: 1, .half: 3, .int8: 4]
    #expect(allowed.prefix(count[loss] ?? 0).contains(cache.name))
    #expect(cache.capacity == 100 && cache.heads == 3 && cache.headDimension == 16)
    #expect(AutoKVCacheKind.decisions.contains { $0.contains("3 × 16: \(cache.name), ") })
    // The same law as the kind that was picked.
    let picked = try registry.make(StageChoice(cache.name))
    #expect(checkKVCache(picked).map(\.description) == [])
  }

  @Test func theCheckerFindsALossyCacheThatClaimsToBeExact() throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice("f16"))
    #expect(!checkKVCache(kind, tolerance: .exact).isEmpty)
  }

  @Test func bytesPerPositionAreThePrecisionsBytes() throws {
    for (name, bytes) in [
      ("f32", 8 * 96), ("f16", 4 * 96), ("bf16", 4 * 96), ("int8", 2 * 96 + 2 * 4 * 6),
    ] {
      let kind = try Registry<any KVCacheKind>.standard.make(StageChoice(name))
      let cache = try kind.make(layers: 2, heads: 3, headDimension: 16, capacity: 5)
      #expect(cache.bytesPerPosition == bytes, "\(name)")
    }
  }

  @Test func aCacheBeyondMemoryIsAnErrorWithAdvice() throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice("f32"))
    #expect {
      try kind.make(layers: 32, heads: 8, headDimension: 128, capacity: 1 << 40)
    } throws: {
      let error = $0 as? LabError
      return error?.kind == .badData && error?.advice?.contains("shorter context") == true
    }
  }

  // Every value of binary16 that can be in a cache, against the compiler's own conversion.
  @Test func halvesRoundTripExactly() throws {
    let cache = try HalfKVCache(layers: 1, heads: 1, headDimension: 64, capacity: 1024)
    let source = Matrix<Float>(rows: 1024, columns: 64)
    for bits in 0..<65536 {
      let half = Float16(bitPattern: UInt16(bits))
      source.storage[bits] = half.isFinite ? Float(half) : 1
    }
    cache.store(layer: 0, first: 0, keys: source.view, values: source.view)
    let loaded = AlignedBuffer<Float>(count: 65536)
    cache.loadKeys(layer: 0, head: 0, positions: 0..<1024, into: loaded.base)
    #expect(
      (0..<65536).allSatisfy { loaded[$0].bitPattern == source.storage[$0].bitPattern })
  }

  @Test func halvesRoundToNearestEvenAndSaturate() throws {
    let cache = try HalfKVCache(layers: 1, heads: 1, headDimension: 8, capacity: 4096)
    let source = Matrix<Float>(rows: 4096, columns: 8)
    var random = SeededRandom(seed: 5)
    for index in 0..<4096 * 8 {
      // All exponents from below the smallest subnormal to just below overflow, and exact ties.
      let exponent = random.below(43) - 27
      let tie = random.below(4) == 0
      let significand =
        1 + (tie ? Float(2 * random.below(1024) + 1) * 0x1p-11 : Float(random.uniform()))
      let magnitude = Float(sign: .plus, exponent: exponent, significand: significand)
      source.storage[index] = random.below(2) == 0 ? magnitude : -magnitude
    }
    source[0, 0] = 65519
    source[0, 1] = 1e30
    source[0, 2] = -.infinity
    source[0, 3] = .nan
    cache.store(layer: 0, first: 0, keys: source.view, values: source.view)
    let loaded = AlignedBuffer<Float>(count: 4096 * 8)
    cache.loadValues(layer: 0, head: 0, positions: 0..<4096, into: loaded.base)
    #expect(loaded[0] == 65504 && loaded[1] == 65504 && loaded[2] == -65504 && loaded[3].isNaN)
    let mismatches = (8..<4096 * 8).filter {
      let expected = Float16(source.storage[$0])
      return expected.isFinite && loaded[$0] != Float(expected)
    }
    #expect(mismatches == [])
  }

  @Test func aNaNKeyStaysNaNInEveryCache() throws {
    for (name, kind) in Registry<any KVCacheKind>.standard.available() {
      let cache = try kind.make(layers: 1, heads: 1, headDimension: 8, capacity: 1)
      let row = Matrix<Float>(rows: 1, columns: 8, [1, 2, .nan, 4, 5, 6, 7, 8])
      withExtendedLifetime(row) {
        cache.store(layer: 0, first: 0, keys: row.view, values: row.view)
      }
      let loaded = AlignedBuffer<Float>(count: 8)
      cache.loadKeys(layer: 0, head: 0, positions: 0..<1, into: loaded.base)
      #expect(loaded[2].isNaN, "\(name)")
    }
  }
}
