import Foundation
import Testing
import TritCore
import TritEvaluation
import TritModel

/// Files of llama-perplexity's `--kl-divergence-base`.
@Suite struct LogitsFileTests {
  private func withFile<R>(_ body: (String) throws -> R) throws -> R {
    let path = NSTemporaryDirectory() + "trit-logits-\(UUID().uuidString).kld"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  private func text(_ tokens: Int) -> [Int] { (0..<tokens).map { ($0 * 7 + $0 / 3) % 16 } }

  private func windows(_ chunks: Int) throws -> [ScoringWindow] {
    try PerplexityProtocol.llamaCpp(context: 8).windows(of: text(8 * chunks), bos: 0)
  }

  /// The bytes of the format, by hand: two chunks of four tokens, three words.
  private func byHand(scale: Float = 0.25, least: Float = -3) -> [UInt8] {
    var bytes = Array("_logits_".utf8)
    func word(_ value: UInt32) {
      for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    for value in [4, 3, 2, /* tokens */ 0, 1, 2, 0, 2, 1, 0, 1] { word(UInt32(value)) }
    // One scored position a chunk (4 / 2 ..< 3): scale, least, codes of three words and one that
    // fills up.
    for codes in [[4, 8, 0, 0], [0, 2, 12, 0]] {
      word(scale.bitPattern)
      word(least.bitPattern)
      for code in codes { bytes += [UInt8(code), 0] }
    }
    return bytes
  }

  @Test func theFormatIsRead() throws {
    try withFile { path in
      try AtomicFile.write(byHand(), to: path)
      let file = try LogitsFile(path: path)
      #expect(file.context == 4 && file.vocabularySize == 3)
      #expect(file.chunks == [[0, 1, 2, 0], [2, 1, 0, 1]])
    }
  }

  @Test func statisticsAreThoseOfTheWholeLogits() throws {
    try withFile { path in
      let reference = BigramModel.hashed()
      let variant = BigramModel.hashed(weight: 0.1)
      let cut = try windows(6)
      let method = PerplexityProtocol.llamaCpp(context: 8)
      let written = try LogitsFileWriter.write(reference, windows: cut, method: method, to: path)
      let alone = try Perplexity.measure(reference, windows: cut, method: method)
      #expect(written.nll == alone.nll)
      let file = try LogitsFile(path: path)
      #expect(file.chunks == cut.map(\.tokens))
      let read = try DivergenceMeasurement().measure(variant: variant, reference: file)
      let whole = try DivergenceMeasurement().measure(
        variant: variant, reference: reference, windows: cut, method: method)
      #expect(read.scoredTokens == whole.scoredTokens && read.scoredTokens == 18)
      #expect(read.variantNLL == whole.variantNLL)
      // A code is half a step of at most 16 / 65535 nats off: 1.3e-4; the float32 log-sum adds less
      // than 1e-5.
      for (a, b) in zip(read.baseNLL, whole.baseNLL) { #expect(abs(a - b) < 1.3e-4) }
      for (a, b) in zip(read.divergences, whole.divergences) { #expect(abs(a - b) < 2.6e-4) }
      #expect(read.sameTop == whole.sameTop && read.baseRight == whole.baseRight)
      // Against itself nothing but rounding is left.
      let own = try DivergenceMeasurement().measure(variant: reference, reference: file)
      #expect(abs(own.meanDivergence.value) < 1.3e-4)
      #expect(
        try DivergenceMeasurement().measure(variant: variant, reference: file, limit: 2).chunkCounts
          .count == 2)
    }
  }

  @Test func damagedFilesAreRefused() throws {
    let good = byHand()
    func changed(_ at: Int, _ value: [UInt8]) -> [UInt8] {
      var bytes = good
      bytes.replaceSubrange(at..<at + value.count, with: value)
      return bytes
    }
    let bad: [[UInt8]] = [
      [], Array(good.prefix(7)), Array(good.prefix(19)), Array(good.dropLast()), good + [0],
      changed(0, [0x5f, 0x4c]), changed(8, [255, 255, 255, 255]), changed(8, [0, 0, 0, 0]),
      changed(8, [255, 255, 255, 127]), changed(12, [255, 255, 255, 127]),
      changed(16, [255, 255, 255, 127]), changed(20, [3, 0, 0, 0]),
      changed(20, [255, 255, 255, 255]),
    ]
    for bytes in bad {
      try withFile { path in
        try AtomicFile.write(bytes, to: path)
        #expect(throws: LabError.self) { try LogitsFile(path: path) }
      }
    }
    // A scale that is no number is found where it is read.
    try withFile { path in
      try AtomicFile.write(byHand(scale: .nan), to: path)
      let file = try LogitsFile(path: path)
      #expect(throws: LabError.self) {
        try DivergenceMeasurement().measure(
          variant: BigramModel.hashed(vocabulary: 3), reference: file)
      }
    }
  }

  @Test func otherProtocolsAreNotWritten() throws {
    let method = PerplexityProtocol.contiguous(context: 8)
    let cut = try method.windows(of: text(16), bos: nil)
    try withFile { path in
      #expect(throws: LabError.self) {
        try LogitsFileWriter.write(BigramModel.hashed(), windows: cut, method: method, to: path)
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }
}
