import Foundation
import Testing
import TritLab
import _CAllocationCounter
import _TritTestSupport

/// Kernels from C files give the reference's sums, whatever of the header they use.
@Suite struct PluginKernelTests {
  @Test(arguments: ["minimal.c", "avx2.c", "dot.c", "tiles.c"])
  func lawsHold(file: String) throws {
    let plugin = try PluginCase().loader.load(PluginCase.fixture(file))
    #expect(plugin.kernels.count == (file == "tiles.c" ? 2 : 1))
    for (descriptor, kernel) in plugin.kernels {
      #expect(descriptor.name == kernel.name)
      guard descriptor.unavailable == nil else { continue }
      // The child has checked it; this is the adapter as this process has loaded it.
      let violations = checkLinearKernel(kernel)
      #expect(violations.isEmpty, "\(violations)")
    }
    #expect(plugin.warnings.isEmpty)
  }

  /// The measure: a kernel is one file of at most 25 lines.
  @Test func aMinimalKernelIsShort() throws {
    let text = try String(contentsOfFile: PluginCase.fixture("minimal.c"), encoding: .utf8)
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 25)
  }

  @Test func descriptorsSayWhatTheFileSays() throws {
    let loader = try PluginCase().loader
    let avx2 = try #require(try loader.load(PluginCase.fixture("avx2.c")).kernels.first?.descriptor)
    #expect(avx2.name == "two-bits/avx2")
    #expect(avx2.summary == "2-bit codes, 128 columns a step")
    #expect(avx2.source == "avx2.c")
    #expect(avx2.instructionSets == ["avx2"])
    #expect(avx2.exactness == .lossless)
    #expect((avx2.unavailable == nil) == CPUFeatures.here.contains(.avx2))
    let dot = try #require(try loader.load(PluginCase.fixture("dot.c")).kernels.first?.descriptor)
    #expect(dot.source == "the formula")
    #expect(dot.instructionSets.isEmpty)
  }

  /// A kernel for another CPU is listed with its reason and not run, not even by the check.
  @Test func aKernelForAnotherCPUIsUnavailable() throws {
    let other = CPUFeatures.here.contains(.neon) ? "avx512vnni, avx2" : "neon dotprod"
    let text = PluginCase.plugin(fields: ", .needs = \"\(other)\"", multiply: "__builtin_trap();")
    let test = try PluginCase()
    let plugin = try test.loader.load(test.write(text))
    let (descriptor, kernel) = try #require(plugin.kernels.first)
    let reason = try #require(descriptor.unavailable)
    #expect(reason.hasPrefix("this CPU has no "))
    for name in other.split(whereSeparator: { ", ".contains($0) }) {
      #expect(reason.contains(name))
    }
    let weights = QuantizedWeights.ternary(
      TernaryMatrix(rows: 1, columns: 1, trits: AlignedBuffer([1]), scales: [1]))
    #expect(throws: LabError.self) { _ = try kernel.prepare(weights) }
  }

  @Test func otherWeightsAreRefusedWithAdvice() throws {
    let test = try PluginCase()
    let kernel = try #require(
      try test.loader.load(PluginCase.fixture("minimal.c")).kernels.first?.kernel)
    let grouped = TernaryMatrix(
      rows: 2, columns: 64, trits: AlignedBuffer([Int8](repeating: 1, count: 128)),
      scales: [1, 2, 3, 4], granularity: .group(32))
    let error = try #require(throws: LabError.self) { _ = try kernel.prepare(.ternary(grouped)) }
    #expect(error.what.contains("one scale per tensor or row"))
    #expect(error.advice?.contains("kernel 'int8'") == true)
    let dense = QuantizedWeights.dense(Matrix(rows: 1, columns: 1))
    #expect(throws: LabError.self) { _ = try kernel.prepare(dense) }
    #expect(throws: LabError.self) { _ = try kernel.prepare(.ternary(grouped), for: .float32) }
    let bad = TernaryMatrix(rows: 1, columns: 2, trits: AlignedBuffer([1, 2]), scales: [1])
    #expect(throws: LabError.self) { _ = try kernel.prepare(.ternary(bad)) }
  }

  /// The house's promise for its own kernels holds for those from outside: nothing is allocated for
  /// a product.
  /// 130 and 200 columns need padding where a kernel wants multiples of 128 and 96.
  @Test(
    .enabled(if: allocation_counter_works()),
    arguments: [("minimal.c", 130), ("avx2.c", 130), ("dot.c", 130), ("tiles.c", 200)])
  func aProductAllocatesNothing(file: String, columns: Int) throws {
    let test = try PluginCase()
    let (descriptor, kernel) = try #require(
      try test.loader.load(PluginCase.fixture(file)).kernels.first)
    guard descriptor.unavailable == nil else { return }
    let trits = AlignedBuffer((0..<64 * columns).map { Int8($0 % 3) - 1 })
    let layer = try kernel.prepare(
      .ternary(TernaryMatrix(rows: 64, columns: columns, trits: trits, scales: [0.5])))
    let x = QuantizedRows(capacity: 2, columns: columns)
    x.begin(rows: 2, form: .int8)
    let y = Matrix<Float>(rows: 2, columns: 64)
    if let layout = layer.inputLayout { _ = x.built(layout) }
    let view = y.mutableView
    layer.multiply(x, rows: 0..<64, into: view)
    let before = allocation_count()
    layer.multiply(x, rows: 0..<64, into: view)
    #expect(allocation_count() - before == 0)
  }
}
