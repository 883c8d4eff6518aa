import TritCore
import TritTokenization

/// Stands where a checkpoint has no tokenizer: ids can be run, text cannot, and says why.
struct MissingTokenizer: Tokenizer {
  let reason: LabError

  /// For an engine that was asked to leave the tokenizer out.
  static func notRead(_ path: String) -> MissingTokenizer {
    MissingTokenizer(
      reason: LabError(
        .usage, "the engine was made without its tokenizer", at: path,
        advice: "make it with EngineOptions.readsTokenizer"))
  }

  let kind = "none"
  let vocabularySize = 0
  let bos: Int? = nil
  let addsBOS = false
  let endOfGeneration: Set<Int> = []
  let stripsLeadingSpace = false

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] { throw reason }
  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] { throw reason }
  func piece(_ id: Int) -> String? { nil }
}
