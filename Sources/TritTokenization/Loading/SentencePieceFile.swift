import TritCore
import TritFormats

extension SentencePieceVocabulary {
  /// The vocabulary of a `tokenizer.model`, with what the folder around it says.
  init(_ model: SentencePieceModel, path: String, settings: TokenizerSettings) throws {
    guard model.modelType == .bpe else {
      throw LabError(
        .badData, "the model type '\(model.modelType)' is not supported", at: path,
        expected: "bpe", advice: "use the model's tokenizer.json if it has one")
    }
    guard model.precompiledCharsmap.isEmpty || model.normalizerName == "identity" else {
      throw LabError(
        .badData, "the normalizer '\(model.normalizerName)' is not supported", at: path,
        expected: "identity", advice: "use the model's tokenizer.json if it has one")
    }
    try settings.check(model.pieces.map(\.text), isWhole: false)
    func id(_ value: Int) -> Int? { value >= 0 ? value : nil }
    let names = Set(EndOfGeneration.names + [settings.eos].compactMap(\.self))
    let ends = model.pieces.indices.filter {
      model.pieces[$0].type != .normal && names.contains(model.pieces[$0].text)
    }
    let eos = id(model.eosID)
    let listed = settings.eosIDs.filter { model.pieces.indices.contains($0) }
    self.init(
      path: path, pieces: model.pieces, bos: id(model.bosID), eos: eos,
      unknown: id(model.unknownID), addsBOS: settings.addsBOS ?? true,
      addsEOS: settings.addsEOS ?? false, addsDummyPrefix: model.addDummyPrefix,
      removesExtraSpaces: model.removeExtraWhitespaces,
      endOfGeneration: Set(ends + listed + [eos].compactMap(\.self)))
  }
}
