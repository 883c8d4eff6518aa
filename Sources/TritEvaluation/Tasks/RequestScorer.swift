import TritCore
public import TritModel
import TritFormats
import TritTokenization

/// Says how likely texts are. Tasks ask it for nothing else, so that what they ask can be tested
/// without a model.
public protocol RequestScorer {
  /// How likely each continuation is after its context, in the order of the requests: those of one
  /// question.
  mutating func answers(to requests: [TaskRequest]) throws -> [TaskAnswer]
  /// ln p of a whole text, in nats.
  mutating func logLikelihood(of text: String) throws -> Double
}

/// A language model as lm-evaluation-harness asks it (0.4.13, `TemplateLM.loglikelihood` and
/// `HFLM.loglikelihood_rolling`).
///
/// - Text is tokenized with the model's template and with control tokens read as such, as Hugging
///   Face's tokenizers do; the template is left out where a text begins with the prefix token as it
///   is written.
/// - Context and continuation are cut as `TaskSplit.lmEval` says; an empty context is the prefix
///   token: BOS, or a token that ends a text where there is no BOS.
/// - What is longer than the model's context loses its beginning.
/// - Whole texts are cut into windows without overlap; the first is conditioned on the prefix
///   token, each later one on the last token of the one before, and the last is filled up from its
///   front with tokens that do not count.
///
/// Sums are double precision, where the harness adds float32. The cache keeps what a request has in
/// common with the one before.
public struct ModelScorer: RequestScorer {
  private let model: any LanguageModel
  private let prefix: Int?
  /// The prefix token as it is written.
  private let prefixText: String?
  private let powers: AlignedBuffer<Float>
  private var held: [Int] = []
  /// The context that was tokenized last: the choices of a question share one.
  private var known: (text: ExactString, tokens: [Int])?
  /// Tokens that the model has run.
  public private(set) var tokensRun = 0
  /// Requests whose beginning was cut.
  public private(set) var truncated = 0

  /// Asks `model`.
  public init(_ model: any LanguageModel) {
    self.model = model
    let tokenizer = model.tokenizer
    prefix = tokenizer.bos ?? tokenizer.endOfGeneration.min()
    prefixText = prefix.flatMap { try? tokenizer.bytes(of: $0, skipSpecial: false) }
      .flatMap { $0.isEmpty ? nil : String(validating: $0, as: UTF8.self) }
    powers = AlignedBuffer<Float>(count: model.vocabularySize)
  }

  /// How likely each continuation is; those with one input run once.
  public mutating func answers(to requests: [TaskRequest]) throws -> [TaskAnswer] {
    var cut: [(input: [Int], continuation: [Int])] = []
    for request in requests { cut.append(try self.cut(request)) }
    var answers: [TaskAnswer?] = Array(repeating: nil, count: requests.count)
    // Requests that begin alike follow one another, and those with one input run once.
    let order = cut.indices.sorted {
      cut[$0].input == cut[$1].input
        ? $0 < $1 : cut[$0].input.lexicographicallyPrecedes(cut[$1].input)
    }
    var first = 0
    while first < order.count {
      let input = cut[order[first]].input
      let end = order[first...].firstIndex { cut[$0].input != input } ?? order.count
      let group = order[first..<end].map { ($0, cut[$0].continuation) }
      for (index, answer) in zip(group.map(\.0), try run(input, group.map(\.1))) {
        answers[index] = answer
      }
      first = end
    }
    return answers.compactMap { $0 }
  }

  /// ln p of a text, over windows of the model's context.
  public mutating func logLikelihood(of text: String) throws -> Double {
    let tokens = try encode(text, addSpecial: true)
    let length = model.contextLength
    var sum = 0.0
    var counted = 0
    while counted < tokens.count {
      try Interruption.check()
      let count = min(length, tokens.count - counted)
      let end = counted + count
      let input =
        counted == 0
        ? [try prefixToken()] + tokens[..<(count - 1)] : Array(tokens[end - length - 1..<end - 1])
      sum += try run(input, [Array(tokens[counted..<end])])[0].logLikelihood
      counted = end
    }
    return sum
  }

  // MARK: Tokens

  private func prefixToken() throws -> Int {
    guard let prefix else {
      throw LabError(
        .badData, "the tokenizer has no token to begin a text with",
        expected: "BOS, or an end of text",
        advice: "name a tokenizer that has one by --tokenizer")
    }
    return prefix
  }

  private func encode(_ text: String, addSpecial: Bool) throws -> [Int] {
    let isPrefixed = prefixText.map { text.utf8.starts(with: $0.utf8) } ?? false
    return try model.tokenizer.encode(
      text, addSpecial: addSpecial && !isPrefixed, parseSpecial: true)
  }

  /// What the model reads for a request, and what of it counts: the last token of a continuation is
  /// predicted, not read.
  private mutating func cut(
    _ request: TaskRequest
  ) throws -> (input: [Int], continuation: [Int]) {
    var context: [Int]
    var continuation: [Int]
    if request.context.isEmpty {
      continuation = try model.tokenizer.encode(
        request.continuation, addSpecial: false, parseSpecial: true)
      let prefix = try prefixToken()
      context = [prefix]
      if continuation.first == prefix { continuation.removeFirst() }
    } else {
      let text = ExactString(request.context)
      if let known, known.text == text {
        context = known.tokens
      } else {
        context = try encode(PythonText.strippedBehind(request.context), addSpecial: true)
        known = (text, context)
      }
      let whole = try encode(request.context + request.continuation, addSpecial: true)
      continuation = Array(whole.dropFirst(context.count))
    }
    guard !context.isEmpty, !continuation.isEmpty else {
      throw LabError(
        .badData,
        context.isEmpty
          ? "the context has no token"
          : "the continuation has no token of its own after the context's",
        expected: "at least one token each",
        got: "continuation '\(request.continuation.prefix(60))'",
        advice: "lm-evaluation-harness stops at such a record too: take it out of the file")
    }
    guard continuation.count <= model.contextLength else {
      throw LabError(
        .badData, "a continuation is longer than the context of the model",
        expected: "at most \(model.contextLength) tokens", got: "\(continuation.count)")
    }
    let all = context + continuation
    if all.count > model.contextLength + 1 { truncated += 1 }
    return (Array(all.suffix(model.contextLength + 1).dropLast()), continuation)
  }

  // MARK: Running

  /// ln p of each continuation whose last token but one is the last of `input`.
  private mutating func run(_ input: [Int], _ continuations: [[Int]]) throws -> [TaskAnswer] {
    for token in input + continuations.joined() where !(0..<model.vocabularySize).contains(token) {
      throw LabError(
        .badData, "the tokenizer gives an id that the model has no logit for",
        expected: "0..<\(model.vocabularySize)", got: "\(token)",
        advice: "check that tokenizer and model belong together")
    }
    let first = input.count - (continuations.map(\.count).max() ?? 0)
    let kept = min(zip(input, held).prefix { $0 == $1 }.count, first)
    tokensRun += input.count - kept
    // What is not whole must not be taken for held.
    held = []
    var sums = Array(repeating: 0.0, count: continuations.count)
    var isGreedy = Array(repeating: true, count: continuations.count)
    let powers = powers
    try model.forEachLogits(of: input, from: first, keeping: kept) { position, logits in
      let normalizer = LogSoftmax(logits, powers: powers.base)
      for (index, continuation) in continuations.enumerated() {
        let place = position - (input.count - continuation.count)
        guard place >= 0 else { continue }
        let token = continuation[place]
        sums[index] -= normalizer.nll(logits[token])
        // Of equal ones the first is the likeliest.
        if logits[token] != normalizer.shift || logits[..<token].contains(normalizer.shift) {
          isGreedy[index] = false
        }
      }
    }
    held = input
    for sum in sums where !sum.isFinite { throw Perplexity.notFinite("a continuation", -sum) }
    return zip(sums, isGreedy).map { TaskAnswer(logLikelihood: $0, isGreedy: $1) }
  }
}
