import TritCore
import TritTokenization

/// Stands where a checkpoint has no tokenizer: ids can be run, text cannot, and says why.
struct MissingTokenizer: Tokenizer {
  let reason: LabError
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
