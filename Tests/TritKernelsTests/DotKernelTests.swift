import Synchronization
import Testing
import TritLab

/// Kernels from one function, and what kernels from outside the package are given.
@Suite struct DotKernelTests {
  /// The documented layout, read code by code.
  private static let formula: DotKernel.Dot = { codes, x, columns in
    var sum: Int32 = 0
    for k in 0..<columns {
      let code = codes[k / 128 * 32 + k % 32] >> UInt8(k % 128 / 32 * 2) & 3
      sum += Int32(code) * Int32(x[k])
    }
    return sum
  }

  @Test func theFormulaHoldsAllLaws() {
    let violations = checkLinearKernel(DotKernel("formula", dot: Self.formula))
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func aFunctionOfCDoesToo() {
    let kernel = DotKernel(
      "c",
      function: { codes, x, columns in
        guard let codes, let x else { return 0 }
        return (0..<columns).reduce(Int32(0)) { sum, k in
          let code = codes[k / 128 * 32 + k % 32] >> UInt8(k % 128 / 32 * 2) & 3
          return sum + Int32(code) * Int32(x[k])
        }
      })
    let violations = checkLinearKernel(
      kernel, shapes: [WeightShape(3, 31), WeightShape(17, 129), WeightShape(33, 256)])
    #expect(violations.isEmpty, "\(violations)")
  }

  /// By hand: columns 0 and 32 share the first byte, 0 in the low bits; 128 begins the second
  /// block; what is padded has code 1 and activation 0.
  @Test func codesLieAsTheDrawingSays() throws {
    let seen = Mutex<([UInt8], [Int8], Int)>(([], [], 0))
    let kernel = DotKernel("seen") { codes, x, columns in
      let bytes = (0..<columns / 4).map { codes[$0] }
      let values = (0..<columns).map { x[$0] }
      seen.withLock { $0 = (bytes, values, columns) }
      return 100
    }
    var trits = [Int8](repeating: 0, count: 130)
    (trits[0], trits[32], trits[64], trits[96], trits[128]) = (1, -1, 0, 1, -1)
    let weights = TernaryMatrix(rows: 1, columns: 130, trits: AlignedBuffer(trits), scales: [0.5])
    let x = QuantizedRows(capacity: 1, columns: 130)
    x.begin(rows: 1, form: .int8)
    for k in 0..<130 { x.row(0)[k] = 1 }
    (x.scales[0], x.sums[0]) = (2, 130)
    let y = Matrix<Float>(rows: 1, columns: 1)
    try kernel.prepare(.ternary(weights)).multiply(x, into: y.mutableView)
    let (bytes, values, columns) = seen.withLock(\.self)
    #expect(columns == 256)
    // Codes 2, 0, 1, 2 from the low bits up: 10 01 00 10.
    #expect(bytes[0] == 0b10_01_00_10)
    #expect(bytes[1] == 0b01_01_01_01)
    #expect(bytes[32] == 0b01_01_01_00)
    #expect(values[129] == 1 && values[130...].allSatisfy { $0 == 0 })
    // (100 − 130) · (2 · 0.5).
    #expect(y[0, 0] == -30)
  }

  @Test func otherWeightsAndCPUsAreRefused() throws {
    let kernel = DotKernel("mine", dot: Self.formula)
    let grouped = TernaryMatrix(
      rows: 1, columns: 64, trits: AlignedBuffer([Int8](repeating: 1, count: 64)), scales: [1, 2],
      granularity: .group(32))
    let error = try #require(throws: LabError.self) { _ = try kernel.prepare(.ternary(grouped)) }
    #expect(error.what.contains("one scale per tensor or row"))
    let other: CPUFeatures = CPUFeatures.here.contains(.neon) ? .avx2 : .neon
    let elsewhere = DotKernel("elsewhere", features: other, dot: Self.formula)
    let missing = try #require(throws: LabError.self) {
      _ = try elsewhere.prepare(
        .ternary(
          TernaryMatrix(
            rows: 1, columns: 1, trits: AlignedBuffer([1]), scales: [1])))
    }
    #expect(missing.what.contains(other.names[0]))
  }

  @Test func paddedRowsAreZeroBehindTheirColumns() {
    #expect(PaddedRows.needed(columns: 64, multiple: 64) == nil)
    #expect(PaddedRows.needed(columns: 100, multiple: 128) == nil)
    let layout = PaddedRows(multiple: 96)
    #expect(PaddedRows.needed(columns: 200, multiple: 96)?.id == layout.id)
    #expect(layout.padded(200) == 288 && layout.stride(200) == 320)
    let x = QuantizedRows(capacity: 2, columns: 200)
    x.begin(rows: 2, form: .int8)
    for row in 0..<2 { for k in 0..<200 { x.row(row)[k] = Int8(row + 1) } }
    let built = x.built(layout).assumingMemoryBound(to: Int8.self)
    for row in 0..<2 {
      #expect((0..<320).allSatisfy { built[row * 320 + $0] == ($0 < 200 ? Int8(row + 1) : 0) })
    }
  }

  /// A kernel that is wrong everywhere is told by its first cases: as many as were asked for, and
  /// the search ends.
  @Test(arguments: [1, 3, 8]) func aCheckEndsAtItsLimit(limit: Int) {
    let calls = Mutex(0)
    let wrong = DotKernel("wrong") { codes, x, columns in
      calls.withLock { $0 += 1 }
      return Self.formula(codes, x, columns) + 1
    }
    #expect(checkLinearKernel(wrong, limit: limit).count == limit)
    // All 18 shapes call it more than a million times.
    #expect(calls.withLock(\.self) < 2_000)
  }

  @Test func namesOfSetsAreRead() throws {
    #expect(try CPUFeatures(names: "") == [])
    #expect(try CPUFeatures(names: "avx512 avx512vnni, neon") == [.avx512, .avx512VNNI, .neon])
    let error = try #require(throws: LabError.self) { _ = try CPUFeatures(names: "avx3") }
    #expect(error.advice == "did you mean 'avx2'?")
  }
}
