import TritCore
public import TritTokenization

/// One run of the model over part of a text, and which of its predictions count.
public struct ScoringWindow: Sendable, Hashable {
  /// The tokens that the model sees.
  public let tokens: [Int]
  /// First position whose prediction (of the token after it) counts; all later ones up to the last
  /// but one position count too.
  public let firstScored: Int
  /// The place among the tokens of the text of the first token that is predicted and counts; 0
  /// where nobody said.
  public let start: Int

  /// A window over `tokens`; `firstScored` lies before the last token.
  public init(tokens: [Int], firstScored: Int, start: Int = 0) {
    self.tokens = tokens
    self.firstScored = firstScored
    self.start = start
  }

  /// Number of predictions that count.
  public var scored: Int { max(0, tokens.count - 1 - firstScored) }
}

/// How a text is cut into windows and which tokens count: figures of different protocols cannot be
/// compared, so the name goes with every figure.
public enum PerplexityProtocol: Sendable, Hashable {
  /// llama-perplexity: disjoint windows, token 0 of each replaced by BOS where the tokenizer adds
  /// it, the second half of each window counts (`context − 1 − context / 2` tokens). Needs
  /// `2 · context` tokens. One newline at the end of the text is dropped, as its `-f` does. Default
  /// context 512.
  case llamaCpp(context: Int)
  /// A sliding window: windows of `context` tokens every `stride`, each counts the tokens that no
  /// earlier window has counted, and every token counts once.
  ///
  /// The windows and their targets are those of the loop in Hugging Face's documentation
  /// ("Perplexity of fixed-length models"), its mean is not: that loop multiplies the mean of a
  /// window of n targets by n − 1 "due to the internal label shift", which is right for the first
  /// window alone, so that later windows weigh one token less. `PerplexityResult.documentedLoopNLL`
  /// is that mean.
  case strided(context: Int, stride: Int)
  /// GPTQ and the papers after it: disjoint windows, every token but the first of each counts, BOS
  /// only where the tokenizer puts it, at the very beginning. Default context 2048.
  case contiguous(context: Int)
  /// lm-evaluation-harness's rolling log-likelihood (0.4.13, `HFLM.loglikelihood_rolling`): disjoint
  /// windows, each conditioned on the token before it, the first on the prefix token (BOS, or a
  /// token that ends a text), the last filled up from its front with tokens that do not count; every
  /// token counts once. A window reads `context` tokens. The text is one document as it stands: the
  /// harness's `wikitext` also cuts pages and undoes WikiText's spacing (`trit tasks`). Default
  /// context 4096.
  case rolling(context: Int)

  /// Names as in files and flags, with a line about each, for listings and messages.
  public static let descriptions: [(name: String, summary: String)] = [
    ("llama.cpp", "llama-perplexity: disjoint windows (512), second half counts, BOS in front"),
    (
      "strided",
      "sliding windows with a stride, each token counted once (Hugging Face's documented loop "
        + "weights every window after the first by one token less)"
    ),
    ("contiguous", "GPTQ: disjoint windows (2048), all but the first token count"),
    (
      "lm-eval",
      "lm-evaluation-harness: disjoint windows (the model's context, at most 4096), every token "
        + "counts once"
    ),
  ]

  /// The protocol called `name` (also `llama-cpp`, `llamacpp`, `hf`, `gptq`, `harness`).
  ///
  /// `context` defaults to the protocol's own (for `strided` 1024), but to no more than `longest`,
  /// the length that the model was trained with: beyond it the figure is about positions, not about
  /// the text. `stride` defaults to half the context and is for `strided` only. Throws a usage
  /// error for unknown names and impossible sizes.
  public init(
    name: String, context: Int? = nil, stride: Int? = nil, longest: Int = .max
  ) throws {
    func own(_ standard: Int) -> Int { context ?? min(standard, longest) }
    let names = Self.descriptions.map(\.name)
    switch name {
    case "llama.cpp", "llama-cpp", "llamacpp": self = .llamaCpp(context: own(512))
    case "strided", "hf":
      let context = own(1024)
      self = .strided(context: context, stride: stride ?? max(1, context / 2))
    case "contiguous", "gptq": self = .contiguous(context: own(2048))
    case "lm-eval", "harness": self = .rolling(context: own(4096))
    default:
      throw LabError(
        .usage, "unknown perplexity protocol '\(name)'",
        expected: names.joined(separator: ", "), advice: Suggestion.didYouMean(name, names))
    }
    if stride != nil {
      guard case .strided = self else {
        throw LabError(
          .usage, "the perplexity protocol '\(name)' has no stride",
          advice: "use the protocol 'strided', or leave the stride out")
      }
    }
    try validate()
  }

  /// The name in files and flags.
  public var name: String {
    switch self {
    case .llamaCpp: "llama.cpp"
    case .strided: "strided"
    case .contiguous: "contiguous"
    case .rolling: "lm-eval"
    }
  }

  /// Tokens of a window.
  public var context: Int {
    switch self {
    case .llamaCpp(let context), .strided(let context, _), .contiguous(let context),
      .rolling(let context):
      context
    }
  }

  /// Name and sizes: `llama.cpp, context 512`.
  public var label: String {
    if case .strided(let context, let stride) = self {
      return "\(name), context \(context), stride \(stride)"
    }
    return "\(name), context \(context)"
  }

  /// Throws a usage error for sizes that leave nothing to count.
  public func validate() throws {
    // A window of 3 is the smallest whose second half predicts a token.
    let least = if case .llamaCpp = self { 3 } else { 2 }
    guard context >= least else {
      throw LabError(
        .usage, "a context of \(context) tokens is too short for the protocol '\(name)'",
        expected: "at least \(least)", got: "\(context)")
    }
    if case .strided(let context, let stride) = self {
      guard stride >= 1, stride <= context else {
        throw LabError(
          .usage, "the stride does not fit the context", expected: "1…\(context)", got: "\(stride)",
          advice: "a stride above the context would skip tokens")
      }
    }
  }

  /// The text that is tokenized, given the text of the data.
  public func prepared(_ text: String) -> Substring {
    guard case .llamaCpp = self, text.utf8.last == UInt8(ascii: "\n") else { return text[...] }
    return Substring(text.utf8.dropLast())
  }

  /// Cuts `tokens` (a whole text, tokenized once with specials) into windows, at most `limit` of
  /// them.
  ///
  /// `bos` replaces token 0 of each window in the protocol `llama.cpp`, and stands before the first
  /// token in `lm-eval`, which needs one; pass nil where the tokenizer adds none. Throws `badData`
  /// where the text is too short.
  public func windows(of tokens: [Int], bos: Int?, limit: Int? = nil) throws -> [ScoringWindow] {
    try validate()
    if let limit, limit < 1 {
      throw LabError(.usage, "the number of chunks must be at least 1", got: "\(limit)")
    }
    let needed: Int
    switch self {
    case .llamaCpp(let context):
      // Saturates: no text has that many tokens.
      needed = context > Int.max / 2 ? Int.max : 2 * context
    case .strided: needed = 2
    case .contiguous(let context): needed = context
    case .rolling: needed = 1
    }
    guard tokens.count >= needed else {
      throw LabError(
        .badData, "the text is too short for the protocol '\(label)'",
        expected: "at least \(needed) tokens", got: "\(tokens.count) tokens",
        advice: "use a longer text or a smaller context (-c)")
    }
    switch self {
    case .llamaCpp(let context):
      return (0..<min(tokens.count / context, limit ?? .max)).map { chunk in
        var part = Array(tokens[chunk * context..<(chunk + 1) * context])
        if let bos { part[0] = bos }
        return ScoringWindow(
          tokens: part, firstScored: context / 2, start: chunk * context + context / 2 + 1)
      }
    case .rolling(let context):
      guard let bos else {
        throw LabError(
          .badData, "the tokenizer has no token to begin a text with",
          expected: "BOS, or an end of text, for the protocol '\(name)'",
          advice: "name a tokenizer that has one by --tokenizer, or take another protocol")
      }
      return stride(from: 0, to: tokens.count, by: context).prefix(limit ?? .max).map { counted in
        let end = min(counted + context, tokens.count)
        // What is read, and behind it the last token, which is only predicted.
        let window =
          counted == 0 ? [bos] + tokens[..<end] : Array(tokens[(end - context - 1)..<end])
        return ScoringWindow(
          tokens: window, firstScored: window.count - 1 - (end - counted), start: counted)
      }
    case .contiguous(let context):
      return (0..<min(tokens.count / context, limit ?? .max)).map { chunk in
        ScoringWindow(
          tokens: Array(tokens[chunk * context..<(chunk + 1) * context]), firstScored: 0,
          start: chunk * context + 1)
      }
    case .strided(let context, let stride):
      var windows: [ScoringWindow] = []
      var begin = 0
      var counted = 0
      while counted < tokens.count, windows.count < limit ?? .max {
        let end = begin + min(context, tokens.count - begin)
        // The target of position j is token j + 1; token 0 of the text has no prediction.
        let firstTarget = max(counted, begin + 1)
        let window = ScoringWindow(
          tokens: Array(tokens[begin..<end]), firstScored: firstTarget - begin - 1,
          start: firstTarget)
        // With stride = context a last window of one token has nothing before it.
        if window.scored > 0 { windows.append(window) }
        counted = end
        begin += stride
      }
      return windows
    }
  }
}

extension PerplexityProtocol {
  /// Tokenizes `text` once, with specials, and cuts it. Control tokens are read out of it only with
  /// `parseSpecial`: for data sets that write their own.
  public func windows(
    of text: String, tokenizer: any Tokenizer, limit: Int? = nil, parseSpecial: Bool = false
  ) throws -> [ScoringWindow] {
    let (tokens, bos) = try tokens(of: text, tokenizer: tokenizer, parseSpecial: parseSpecial)
    return try windows(of: tokens, bos: bos, limit: limit)
  }

  /// The tokens of a text, with specials, and the token that windows begin with.
  private func tokens(
    of text: String, tokenizer: any Tokenizer, parseSpecial: Bool
  ) throws -> (tokens: [Int], bos: Int?) {
    if case .rolling = self {
      // As `ModelScorer`: control tokens are read as such, and what the text writes is not doubled.
      let prefix = tokenizer.bos ?? tokenizer.endOfGeneration.min()
      let written = prefix.flatMap { try? tokenizer.bytes(of: $0, skipSpecial: false) } ?? []
      let isPrefixed = !written.isEmpty && text.utf8.starts(with: written)
      return (
        try tokenizer.encode(text, addSpecial: !isPrefixed, parseSpecial: true), prefix
      )
    }
    let tokens = try tokenizer.encode(
      String(prepared(text)), addSpecial: true, parseSpecial: parseSpecial)
    return (tokens, tokenizer.addsBOS ? tokenizer.bos : nil)
  }

  /// The windows of `data` that `selection` asks for, and the documents that they lie in. Throws as
  /// `windows(of:tokenizer:limit:parseSpecial:)`, and where a part has no window.
  public func windows(
    of data: TextDataset, tokenizer: any Tokenizer, selection: WindowSelection
  ) throws -> TextWindows {
    let (tokens, bos) = try tokens(
      of: data.text, tokenizer: tokenizer, parseSpecial: data.writesControlTokens)
    let all = try windows(
      of: tokens, bos: bos, limit: selection.isPart ? selection.needed : selection.upper)
    let range = selection.isPart ? try selection.range(of: all.count) : all.indices
    let cut = Array(all[range])
    return TextWindows(
      windows: cut, first: range.lowerBound, total: all.count,
      documents: try documents(of: cut, data, tokens, tokenizer))
  }

  /// The document of each window by the bytes of the tokens before it, which add up to the text but
  /// for what a normalizer adds or takes: that is spread over all. nil where the text is one
  /// document.
  private func documents(
    of windows: [ScoringWindow], _ data: TextDataset, _ tokens: [Int], _ tokenizer: any Tokenizer
  ) throws -> [Int]? {
    guard data.documents.starts.count > 1 else { return nil }
    var ends: [Int] = []
    ends.reserveCapacity(tokens.count)
    var sum = 0
    for (index, token) in tokens.enumerated() {
      let bytes = try tokenizer.bytes(of: token, skipSpecial: false)
      // What is put before a text is not of it.
      let isAdded = index == 0 && token == tokenizer.bos && !data.text.utf8.starts(with: bytes)
      if !isAdded { sum += bytes.count }
      ends.append(sum)
    }
    let scale = sum > 0 ? Double(data.byteCount) / Double(sum) : 1
    return windows.map { window in
      let before = window.start > 0 ? ends[min(window.start, ends.count) - 1] : 0
      return data.documents.number(at: Int((Double(before) * scale).rounded()))
    }
  }
}

extension [ScoringWindow] {
  /// A number for each window, of 52 bits of the SHA-256 of its tokens and of what counts: two runs
  /// whose windows have the same are over the same tokens, and parts of a text have those of the
  /// whole.
  public var fingerprints: [Double] {
    map { window in
      let words = [Int64(window.firstScored)] + window.tokens.map { Int64($0) }
      let digest = words.map(\.littleEndian).withUnsafeBytes { SHA256.hex($0) }
      return Double(UInt64(digest.prefix(13), radix: 16) ?? 0)
    }
  }
}
