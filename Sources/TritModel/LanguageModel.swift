public import TritTokenization

/// What an evaluation needs of a model: logits of token sequences. `Engine` conforms; tests use
/// small made-up ones.
public protocol LanguageModel: AnyObject {
  /// Text to ids and back.
  var tokenizer: any Tokenizer { get }
  /// Number of logits a position.
  var vocabularySize: Int { get }
  /// Positions that the model takes.
  var contextLength: Int { get }
  /// Runs `tokens` as one fresh sequence and calls `body` with the logits (`vocabularySize` values,
  /// valid during the call) after each position from `first` on, in order.
  /// Throws `badData` for ids outside the vocabulary and for more tokens than `contextLength`.
  func forEachLogits(
    of tokens: [Int], from first: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void) throws
  /// The same for a sequence whose first `kept` tokens are those of the run before: what is
  /// remembered of them may be used again. `kept` is at most `first`, and below the number of
  /// tokens.
  func forEachLogits(
    of tokens: [Int], from first: Int, keeping kept: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void) throws
}

extension LanguageModel {
  /// Remembers nothing: runs all of `tokens`.
  public func forEachLogits(
    of tokens: [Int], from first: Int, keeping kept: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forEachLogits(of: tokens, from: first, body)
  }
}
