import Testing
import TritLab
import _TritTestSupport

/// Extends the suite that owns `auto`'s state: two suites would change it under each other.
extension KernelChoiceTests {
  /// The only file in `folder`.
  private func file(in folder: TemporaryFolder) throws -> String {
    let names = try folder.names()
    #expect(names.count == 1 && names[0].hasSuffix(".tsv"), "\(names)")
    return folder.path + "/" + (names.first ?? "")
  }

  @Test("what auto measured is kept in a file, read back, and measured again on demand")
  func remembers() throws {
    let folder = try TemporaryFolder()
    AutoKernel.forget()
    AutoKernel.remember(in: folder.path)
    defer {
      AutoKernel.remember(in: nil)
      AutoKernel.forget()
    }
    let weights = Self.trits(96, 160)
    let first = try Self.make("auto").prepare(weights, for: .int8)
    #expect(AutoKernel.decisions.last?.isRemembered == false)
    AutoKernel.forget()
    let second = try Self.make("auto").prepare(weights, for: .int8)
    let read = try #require(AutoKernel.decisions.last)
    #expect(second.kernel == first.kernel && read.picked == first.kernel)
    #expect(read.isRemembered && read.timings.count > 1)
    #expect(read.description.contains("measured earlier"))
    AutoKernel.forget()
    _ = try Self.make("auto:refresh=true").prepare(weights, for: .int8)
    #expect(AutoKernel.decisions.last?.isRemembered == false)
    // Another use and other conditions are other questions.
    _ = try Self.make("auto:use=decode").prepare(weights, for: .int8)
    #expect(AutoKernel.decisions.last?.use == .decode)
    #expect(AutoKernel.decisions.last?.isRemembered == false)
  }

  @Test(
    "a damaged file is ignored with a note",
    arguments: ["", "tritlab auto 1\n96\t160\n", "tritlab auto 2\n", "\u{0}\u{1}", "picked"])
  func damage(text: String) throws {
    let folder = try TemporaryFolder()
    AutoKernel.forget()
    AutoKernel.remember(in: folder.path)
    defer {
      AutoKernel.remember(in: nil)
      AutoKernel.forget()
    }
    let weights = Self.trits(96, 160)
    let first = try Self.make("auto").prepare(weights, for: .int8)
    let path = try file(in: folder)
    if text == "picked" {
      // A file that names a kernel which does not exist.
      let mapped = try MappedFile(path)
      let good = withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
      try AtomicFile.write(good.replacing(first.kernel, with: "i2_s/none"), to: path)
    } else {
      try AtomicFile.write(text, to: path)
    }
    AutoKernel.forget()
    _ = try Self.make("auto").prepare(weights, for: .int8)
    #expect(AutoKernel.decisions.last?.isRemembered == false)
    #expect(AutoKernel.notes.last?.contains(path) == true)
    // The next run finds a whole file again.
    AutoKernel.forget()
    _ = try Self.make("auto").prepare(weights, for: .int8)
    #expect(AutoKernel.decisions.last?.isRemembered == true)
  }

  @Test("a model larger than the caches is measured from memory, a small one from the caches")
  func conditions() {
    let here = CacheSizes.here.last
    #expect(AutoKernel.Conditions.model(weights: 4 * here, threads: 2).fromMemory)
    #expect(!AutoKernel.Conditions.model(weights: here / 4, threads: 2).fromMemory)
  }
}
