public import TritModel
public import TritTokenization

/// A model in front of another: what is not its own business is the other's.
public protocol ForwardingModel: LanguageModel {
  /// The model behind it.
  var model: any LanguageModel { get }
}

extension ForwardingModel {
  /// The other's.
  public var tokenizer: any Tokenizer { model.tokenizer }
  /// The other's.
  public var vocabularySize: Int { model.vocabularySize }
  /// The other's.
  public var contextLength: Int { model.contextLength }
}
