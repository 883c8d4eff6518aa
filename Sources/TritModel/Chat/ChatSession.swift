public import TritCore
public import TritFormats
public import TritSampling
import TritTemplates
import TritTokenization

/// A conversation with a model, turn by turn.
///
/// The KV cache is kept between turns: of each prompt only what differs from the one before is run.
/// A session has the engine for itself.
public final class ChatSession {
  /// The answer of a turn.
  public struct Answer: Sendable {
    /// Its text.
    public let text: String
    /// Tokens, times, and why it ended; `stopped` where it was interrupted.
    public let result: GenerationResult
    /// Prompt tokens that the cache still held.
    public let kept: Int
  }

  /// What answers.
  public let engine: Engine
  /// How it is talked to.
  public let format: ChatFormat
  /// How tokens are drawn, and how many.
  public let options: GenerationOptions
  /// The template of several; nil for the usual one.
  public let templateName: String?
  /// What the model is told beforehand; it counts from the next turn on.
  public var system: String?
  /// The turns so far, without the system's message.
  public private(set) var messages: [JSONValue] = []
  private var chain: SamplerChain
  private var held: [Int] = []

  /// Begins a conversation. Throws a usage error for options that cannot be used.
  public init(
    engine: Engine, format: ChatFormat, options: GenerationOptions, system: String? = nil,
    templateName: String? = nil
  ) throws {
    self.engine = engine
    self.format = format
    self.options = options
    self.system = system
    self.templateName = templateName
    chain = try engine.chain(options)
    engine.reset()
  }

  /// Forgets all turns; what the model is told beforehand stays. Draws begin again from the seed.
  public func reset() {
    messages = []
    chain.reset()
  }

  /// The model's answer to `text`; `onText` sees it as it grows.
  ///
  /// Where `Interruption` asks to stop, the answer is what there is by then. Any other error, and an
  /// interruption before the first token, takes the turn back: the conversation is as it was.
  public func answer(_ text: String, onText: (String) throws -> Void = { _ in }) throws -> Answer {
    messages.append(ChatConversation.message("user", text))
    do {
      let answer = try answer(onText)
      messages.append(ChatConversation.message("assistant", answer.text))
      return answer
    } catch {
      messages.removeLast()
      throw error
    }
  }

  private func answer(_ onText: (String) throws -> Void) throws -> Answer {
    let front = system.map { [ChatConversation.message("system", $0)] } ?? []
    let prompt = try format.prompt(ChatConversation(front + messages), named: templateName)
    let tokens = try ChatFormat.tokens(prompt, engine.tokenizer)
    guard tokens.count < engine.contextLength else {
      throw LabError(
        .badData, "the conversation does not fit the context",
        expected: "at most \(engine.contextLength - 1) tokens", got: "\(tokens.count)",
        advice: "begin anew with /reset, or give a larger context with -c")
    }
    let kept = min(zip(held, tokens).prefix { $0 == $1 }.count, tokens.count - 1)
    var drawn: [Int] = []
    var decoder = StreamingDecoder(engine.tokenizer, atStart: false)
    var stops = StopTexts(options.stops)
    var output = ""
    func show(_ piece: String) throws {
      output += piece
      if !piece.isEmpty { try onText(piece) }
    }
    defer { held = Array((tokens + drawn).prefix(engine.position)) }
    var result: GenerationResult
    do {
      result = try engine.generate(
        prompt: tokens, keeping: kept, options: options, chain: &chain
      ) { token in
        drawn.append(token)
        try show(stops.append(try decoder.append(token)))
        return !stops.isOver
      }
    } catch let error as LabError where error.kind == .interrupted && !drawn.isEmpty {
      result = GenerationResult(prompt: tokens)
      result.tokens = drawn
      result.finish = .stopped
    }
    try show(stops.append(decoder.finish()) + stops.finish())
    if stops.isOver { result.finish = .stopText }
    return Answer(text: output, result: result, kept: kept)
  }
}
