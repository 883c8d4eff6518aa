import TritCore
import TritFormats
import TritTokenization

extension Checkpoint {
  /// Compares a tokenizer with the rows of the embedding: what to tell of it. Throws where every
  /// text would fail, since a token that goes around each has no row.
  func checkFit(of tokenizer: any Tokenizer) throws -> [String] {
    let rows = configuration.vocabularySize
    guard tokenizer.vocabularySize > rows else { return tokenizer.notes }
    let frame = try tokenizer.encode("", addSpecial: true, parseSpecial: false)
    let advice =
      "tokenizer and model do not belong together: name the model's own with --tokenizer FILE"
    if let id = (frame + tokenizer.endOfGeneration.sorted()).first(where: { $0 >= rows }) {
      throw LabError(
        .badData, "a token around each text has no row in the embedding",
        at: "\(outsideTokenizer ?? path): token \(id) '\(tokenizer.piece(id) ?? "")'",
        expected: "ids in 0..<\(rows)", got: "\(id)", advice: advice)
    }
    return tokenizer.notes + [
      "warning: the tokenizer has \(tokenizer.vocabularySize) tokens and the model \(rows): a text with one of "
        + "the others fails; where that happens often, \(advice)"
    ]
  }
}

extension Engine {
  /// The tokenizer of a checkpoint, and what to tell of it. A model without one can run ids; one
  /// that the caller named must be there.
  static func tokenizer(of checkpoint: Checkpoint) throws -> (any Tokenizer, notes: [String]) {
    do {
      let tokenizer = try checkpoint.tokenizer()
      return (tokenizer, try checkpoint.checkFit(of: tokenizer))
    } catch let error as LabError
      where error.kind == .missingInput && checkpoint.tokenizerPath == nil
    {
      return (MissingTokenizer(reason: error), [])
    }
  }
}
