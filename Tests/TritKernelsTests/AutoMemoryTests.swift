import Testing
import TritLab
import _TritTestSupport

/// Every test has a memory of its own.
@Suite("auto's memory") struct AutoMemoryTests {
  private let folder: TemporaryFolder
  private let memory = AutoMemory()
  private let weights = KernelChoiceTests.trits(96, 160)

  init() throws {
    folder = try TemporaryFolder()
    memory.remember(in: folder.path)
  }

  private func auto(use: AutoKernel.Use = .both, refresh: Bool = false) -> AutoKernel {
    let candidates = Registry<any LinearKernel>.standard.available()
      .filter { $0.name.hasPrefix("i2_s/") || $0.name.hasPrefix("tl1/") }.map(\.product)
    return AutoKernel(candidates: candidates, use: use, refresh: refresh, memory: memory)
  }

  /// The last decision, after weights were prepared.
  @discardableResult private func decide(
    _ kernel: AutoKernel, under conditions: AutoKernel.Conditions = AutoKernel.Conditions()
  ) throws -> AutoKernel.Decision {
    let prepared = try kernel.prepare(weights, for: .int8, under: conditions)
    let decision = try #require(memory.decisions.last)
    #expect(decision.picked == prepared.kernel)
    return decision
  }

  /// The only file in the folder.
  private func file() throws -> String {
    let names = try folder.names()
    #expect(names.count == 1 && names[0].hasSuffix(".tsv"), "\(names)")
    return folder.path + "/" + (names.first ?? "")
  }

  @Test("auto names what it picked, says why, and measures a shape once")
  func explains() throws {
    let decision = try decide(auto())
    #expect(decision.timings.contains { $0.kernel == decision.picked && $0.decode > 0 })
    #expect(decision.description.contains("96 × 160"))
    #expect(decision.description.contains(decision.picked))
    try decide(auto())
    #expect(memory.decisions.count == 1)
  }

  @Test("what auto measured is kept in a file, read back, and measured again on demand")
  func remembers() throws {
    let first = try decide(auto())
    #expect(!first.isRemembered)
    memory.forget()
    let second = try decide(auto())
    #expect(second.isRemembered && second.picked == first.picked && second.timings.count > 1)
    #expect(second.description.contains("measured earlier"))
    memory.forget()
    #expect(try !decide(auto(refresh: true)).isRemembered)
  }

  @Test("another use and other conditions are other questions")
  func otherQuestions() throws {
    try decide(auto())
    let decode = try decide(auto(use: .decode))
    #expect(decode.use == .decode && !decode.isRemembered)
    let conditions = AutoKernel.Conditions(threads: 2, fromMemory: false)
    let cached = try decide(auto(), under: conditions)
    #expect(cached.conditions == conditions && !cached.isRemembered)
    #expect(memory.decisions.count == 3)
    #expect(try folder.names().count == 2)
  }

  @Test(
    "a damaged file is ignored with a note",
    arguments: ["", "tritlab auto 1\n96\t160\n", "tritlab auto 2\n", "\u{0}\u{1}", "picked"])
  func damage(text: String) throws {
    let first = try decide(auto())
    let path = try file()
    if text == "picked" {
      // A file that names a kernel which does not exist.
      let mapped = try MappedFile(path)
      let good = withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
      try AtomicFile.write(good.replacing(first.picked, with: "i2_s/none"), to: path)
    } else {
      try AtomicFile.write(text, to: path)
    }
    memory.forget()
    #expect(try !decide(auto()).isRemembered)
    #expect(memory.notes.last?.contains(path) == true)
    // The next run finds a whole file again.
    memory.forget()
    #expect(try decide(auto()).isRemembered)
  }

  @Test("a model larger than the caches is measured from memory, a small one from the caches")
  func conditions() {
    let here = CacheSizes.here.last
    #expect(AutoKernel.Conditions.model(weights: 4 * here, threads: 2).fromMemory)
    #expect(!AutoKernel.Conditions.model(weights: here / 4, threads: 2).fromMemory)
  }
}
