import Testing
import TritLab

@Suite struct AttentionTests {
  @Test(arguments: ["naive", "streaming"]) func obeysTheLaws(name: String) throws {
    let attention = try Registry<any Attention>.standard.make(StageChoice(name))
    #expect(attention.name == name)
    #expect(checkAttention(attention).map(\.description) == [])
  }

  @Test(arguments: [1, 7, 64, 100, 1000]) func slidingObeysTheLaws(window: Int) throws {
    let attention = try Registry<any Attention>.standard.make(
      StageChoice("sliding", ["window": .integer(window)]))
    #expect(checkAttention(attention, window: window).map(\.description) == [])
  }

  @Test func theCheckerFindsAForgottenMask() {
    #expect(!checkAttention(Broken(fault: .seesTheFuture)).isEmpty)
    #expect(!checkAttention(Broken(fault: .wrongScale)).isEmpty)
    #expect(!checkAttention(Broken(fault: .silentProbe)).isEmpty)
    // Full attention is not sliding attention, and the checker tells them apart.
    #expect(!checkAttention(StreamingAttention(), window: 7).isEmpty)
    #expect(!checkAttention(StreamingAttention(window: 7)).isEmpty)
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
  @Test(arguments: ["f32", "f16", "int8"]) func obeysTheLaws(name: String) throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice(name))
    #expect(kind.name == name)
    #expect(checkKVCache(kind).map(\.description) == [])
  }

  @Test func theCheckerFindsALossyCacheThatClaimsToBeExact() throws {
    let kind = try Registry<any KVCacheKind>.standard.make(StageChoice("f16"))
    #expect(!checkKVCache(kind, tolerance: .exact).isEmpty)
  }

  @Test func bytesPerPositionAreThePrecisionsBytes() throws {
    for (name, bytes) in [("f32", 8 * 96), ("f16", 4 * 96), ("int8", 2 * 96 + 2 * 4 * 6)] {
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
