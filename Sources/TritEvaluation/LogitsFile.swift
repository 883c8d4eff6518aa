import Foundation
public import TritCore
public import TritModel
public import TritTokenization

/// A reference's log-probabilities in a file, as llama-perplexity's `--kl-divergence-base` writes
/// and reads them.
///
/// Format (llama.cpp, tools/perplexity): `_logits_`, then little-endian int32 context, vocabulary
/// and chunks, the tokens of all chunks, and for each scored position (the second half of a chunk,
/// its last position apart) a row of `2 ⌈V / 2⌉ + 4` uint16: float32 scale and least
/// log-probability, then a code for each token; `ln p = scale · code + least`. What lies more than
/// 16 below the greatest logit has the code 0.
public struct LogitsFile: Sendable {
  /// Where it is.
  public let path: String
  /// Tokens of a chunk.
  public let context: Int
  /// Tokens of the vocabulary.
  public let vocabularySize: Int
  /// The tokens of each chunk.
  public let chunks: [[Int]]
  private let file: MappedFile
  private let start: Int

  static let magic = Array("_logits_".utf8)
  /// Nats below the greatest logit that are told apart.
  static let range: Float = 16

  /// Positions of a chunk that have a row.
  static func scored(_ context: Int) -> Range<Int> { context / 2..<context - 1 }

  /// Bytes of a row.
  static func rowBytes(_ vocabulary: Int) -> Int { 2 * (2 * ((vocabulary + 1) / 2) + 4) }

  /// Opens and checks `path`. Throws `missingInput` where there is none, and `badData` for another
  /// kind of file, sizes that no file has, tokens outside the vocabulary, or an end that comes too
  /// early.
  public init(path: String) throws {
    self.path = path
    file = try MappedFile(path)
    let size = file.count
    func bad(_ what: String, _ expected: String, _ got: String) -> LabError {
      LabError(
        .badData, what, at: path, expected: expected, got: got,
        advice: "write it again: --kl-divergence-base FILE without --kl-divergence")
    }
    guard size >= 20, try Array(file.bytes(0..<8)) == Self.magic else {
      throw bad(
        "this is no file of logits of llama-perplexity", "_logits_ at its beginning",
        "\(size) bytes of something else")
    }
    let header = try file.bytes(8..<20)
    let sizes = (0..<3).map {
      Int(Int32(littleEndian: header.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)))
    }
    (context, vocabularySize) = (sizes[0], sizes[1])
    guard (3...1 << 24).contains(sizes[0]), (1...1 << 24).contains(sizes[1]),
      (1...1 << 24).contains(sizes[2])
    else {
      throw bad(
        "the file has impossible sizes", "3…16777216 tokens a chunk, 1 or more of all",
        "context \(sizes[0]), vocabulary \(sizes[1]), chunks \(sizes[2])")
    }
    let rows = sizes[2].multipliedReportingOverflow(by: Self.scored(sizes[0]).count)
    let bytes = rows.partialValue.multipliedReportingOverflow(by: Self.rowBytes(sizes[1]))
    let tokens = 4 * sizes[2] * sizes[0]
    let whole = bytes.partialValue.addingReportingOverflow(20 + tokens)
    guard !rows.overflow, !bytes.overflow, !whole.overflow, whole.partialValue == size else {
      throw bad(
        "the file does not have the size that its header says",
        bytes.overflow || whole.overflow ? "fewer chunks" : "\(whole.partialValue) bytes",
        "\(size) bytes")
    }
    start = 20 + tokens
    let ids = try file.bytes(20..<start)
    var list: [[Int]] = []
    list.reserveCapacity(sizes[2])
    for chunk in 0..<sizes[2] {
      let one = (0..<sizes[0]).map { index in
        Int(
          Int32(
            littleEndian: ids.loadUnaligned(
              fromByteOffset: 4 * (chunk * sizes[0] + index), as: Int32.self)))
      }
      if let wrong = one.first(where: { !(0..<sizes[1]).contains($0) }) {
        throw bad("a token lies outside the vocabulary", "0..<\(sizes[1])", "\(wrong)")
      }
      list.append(one)
    }
    chunks = list
  }

  /// The windows that were scored, with the first token replaced where `tokenizer` begins every
  /// text with one, as llama-perplexity does.
  public func windows(_ tokenizer: any Tokenizer, limit: Int? = nil) -> [ScoringWindow] {
    let first = tokenizer.addsBOS ? tokenizer.bos : nil
    return chunks.prefix(limit ?? chunks.count).enumerated().map { chunk, tokens in
      var tokens = tokens
      if let first { tokens[0] = first }
      let scored = Self.scored(context).lowerBound
      return ScoringWindow(
        tokens: tokens, firstScored: scored, start: chunk * context + scored + 1)
    }
  }

  /// Reads `ln p` of every token at `position` of `chunk` to `row`, which has room for the
  /// vocabulary. Throws `badData` for a scale or a least value that is no number.
  func read(
    chunk: Int, position: Int, to row: UnsafeMutableBufferPointer<Float>
  ) throws {
    let scored = Self.scored(context)
    let index = chunk * scored.count + position - scored.lowerBound
    let size = Self.rowBytes(vocabularySize)
    let bytes = try file.bytes(start + index * size..<start + (index + 1) * size)
    let scale = bytes.loadUnaligned(fromByteOffset: 0, as: Float.self)
    let least = bytes.loadUnaligned(fromByteOffset: 4, as: Float.self)
    guard scale.isFinite, least.isFinite, scale >= 0 else {
      throw LabError(
        .badData, "a row of logits is damaged",
        at: "\(path): chunk \(chunk + 1), position \(position)",
        expected: "finite scale and least value", got: "\(scale), \(least)",
        advice: "write the file again")
    }
    for token in 0..<vocabularySize {
      let code = UInt16(
        littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + 2 * token, as: UInt16.self))
      row[token] = scale * Float(code) + least
    }
  }
}

/// Writes a file of logits, whole or not at all.
public enum LogitsFileWriter {
  /// Runs `model` over `windows`, which have to be of the protocol `llama.cpp`, and writes what it
  /// predicts to `path`; gives the perplexity that it has meanwhile, as `Perplexity.measure` does;
  /// `firstChunk` is the number of the first window among those of the text.
  /// Throws a usage error for windows of other protocols, `cannotCreate`, and what `measure`
  /// throws.
  public static func write(
    _ model: any LanguageModel, windows: [ScoringWindow], method: PerplexityProtocol,
    to path: String, parseSpecial: Bool = false, firstChunk: Int = 0,
    progress: ProgressReporter? = nil
  ) throws -> PerplexityResult {
    let context = windows.first?.tokens.count ?? 0
    guard case .llamaCpp = method, context > 2,
      windows.allSatisfy({
        $0.tokens.count == context && $0.firstScored == LogitsFile.scored(context).lowerBound
      })
    else {
      throw LabError(
        .usage, "a file of logits is of the protocol llama.cpp", at: "--kl-divergence-base",
        expected: "--protocol llama.cpp", got: method.label)
    }
    let file = try AtomicFile(path)
    var head = LogitsFile.magic
    for number in [context, model.vocabularySize, windows.count] + windows.flatMap(\.tokens) {
      withUnsafeBytes(of: Int32(truncatingIfNeeded: number).littleEndian) { head += $0 }
    }
    try file.write(head)
    let writer = RowWriter(model, file)
    let result = try Perplexity.measure(
      writer, windows: windows, method: method, parseSpecial: parseSpecial,
      firstChunk: firstChunk, progress: progress)
    try file.commit()
    return result
  }

  /// A model whose logits are written as they pass.
  private final class RowWriter: ForwardingModel {
    let model: any LanguageModel
    private let file: AtomicFile
    private var row: [UInt8]

    init(_ model: any LanguageModel, _ file: AtomicFile) {
      self.model = model
      self.file = file
      row = Array(repeating: 0, count: LogitsFile.rowBytes(model.vocabularySize))
    }

    func forEachLogits(
      of tokens: [Int], from first: Int,
      _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
      try model.forEachLogits(of: tokens, from: first) { position, logits in
        if position + 1 < tokens.count {
          LogitsFileWriter.encode(logits, to: &row)
          try file.write(row)
        }
        try body(position, logits)
      }
    }
  }

  /// One row as llama-perplexity's `log_softmax` codes it.
  static func encode(_ logits: UnsafeBufferPointer<Float>, to row: inout [UInt8]) {
    let greatest = logits.max() ?? 0
    let least = max(logits.min() ?? 0, greatest - LogitsFile.range)
    var sum: Double = 0
    for value in logits { sum += Double(Foundation.exp(value - greatest)) }
    let logSum = Float(Foundation.log(sum))
    let scale = (greatest - least) / 65535
    func put(_ bits: UInt32, _ at: Int) {
      for byte in 0..<4 { row[at + byte] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(byte))) }
    }
    put(scale.bitPattern, 0)
    put((least - greatest - logSum).bitPattern, 4)
    let inverse = scale > 0 ? 1 / scale : 0
    for (index, value) in logits.enumerated() {
      let code =
        value > least
        ? UInt16(clamping: Int((inverse * (value - least)).rounded(.toNearestOrEven))) : 0
      row[8 + 2 * index] = UInt8(truncatingIfNeeded: code)
      row[9 + 2 * index] = UInt8(truncatingIfNeeded: code >> 8)
    }
  }
}
